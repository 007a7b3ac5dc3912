// Runs a part of a test inside another runtime: what a bundled "player" answers there to each value it is given, in a
// Chromium tab or in Deno, both with WebGPU on SwiftShader.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';
import { bundleForRuntime } from './bundleForRuntime.ts';
import { openSoftwareGpuPage } from './softwareGpuPage.ts';

export interface RuntimePlayer<Value, Answer> {
  play(value: Value): Promise<Answer>;
  close(): Promise<void>;
}

/** What the page's script leaves on globalThis. */
interface PlayerPage {
  openPlayer: () => Promise<(value: unknown) => Promise<unknown>>;
  player?: Promise<(value: unknown) => Promise<unknown>>;
}

/** @param entry Absolute path of a script that sets globalThis.openPlayer. */
export async function openChromiumPlayer<Value, Answer>(
  entry: string,
): Promise<RuntimePlayer<Value, Answer>> {
  const content = await bundleForRuntime(entry, 'iife');
  const { page, close } = await openSoftwareGpuPage();
  await page.addScriptTag({ content });
  return {
    play: (value) =>
      page.evaluate(async (given) => {
        const here = globalThis as unknown as PlayerPage;
        here.player ??= here.openPlayer();
        return (await here.player)(given);
      }, value as unknown) as Promise<Answer>,
    close,
  };
}

/** @param entry Absolute path of a script that calls servePlayer (servePlayer.deno.ts). @param timeout Of the whole process, in ms. */
export async function openDenoPlayer<Value, Answer>(
  entry: string,
  timeout = 120_000,
): Promise<RuntimePlayer<Value, Answer>> {
  const { libraryPath, swiftshaderIcd } = await unpackChromium();
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-deno-'));
  const script = join(folder, 'player.mjs');
  await writeFile(script, await bundleForRuntime(entry, 'esm'));
  const deno = fileURLToPath(import.meta.resolve('deno/bin.cjs'));
  const child = spawn(process.execPath, [deno, 'run', '--no-config', '--unstable-webgpu', script], {
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, VK_ICD_FILENAMES: swiftshaderIcd },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout,
  });
  let complaints = '';
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString();
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`Deno ended with code ${code}: ${complaints}`)));
  });
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async play(value) {
      child.stdin.write(`${JSON.stringify(value)}\n`);
      const line = await Promise.race([lines.next(), ended]);
      if (line.done === true) return ended;
      return JSON.parse(line.value) as Answer;
    },
    async close() {
      child.stdin.end();
      await ended.catch(() => {});
      await rm(folder, { recursive: true });
    },
  };
}
