import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { unpackChromium } from '../../../coordinator/local/chromium.ts';
import { bundleForRuntime } from '../../setup/bundleForRuntime.ts';
import type { Transcript } from './playScenario.ts';
import { treeDeviceContract } from './treeDevice.contract.ts';

treeDeviceContract('webgpu in Deno', async () => {
  const { libraryPath, swiftshaderIcd } = await unpackChromium();
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-deno-'));
  const script = join(folder, 'player.mjs');
  await writeFile(
    script,
    await bundleForRuntime(fileURLToPath(import.meta.resolve('./scenarioPlayer.deno.ts')), 'esm'),
  );
  const deno = fileURLToPath(import.meta.resolve('deno/bin.cjs'));
  const child = spawn(process.execPath, [deno, 'run', '--no-config', '--unstable-webgpu', script], {
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, VK_ICD_FILENAMES: swiftshaderIcd },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 120_000,
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
    async play(scenario) {
      child.stdin.write(`${JSON.stringify(scenario)}\n`);
      const line = await Promise.race([lines.next(), ended]);
      if (line.done === true) return ended;
      return JSON.parse(line.value) as Transcript;
    },
    async close() {
      child.stdin.end();
      await ended.catch(() => {});
      await rm(folder, { recursive: true });
    },
  };
});
