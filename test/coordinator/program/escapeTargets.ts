// What an owner's code that breaks out would find on this machine.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { EscapeTargets } from './fixtures/escapes.ts';

export interface PreparedTargets extends EscapeTargets {
  /** Paths that the server was asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function prepareTargets(): Promise<PreparedTargets> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-escape-'));
  const file = join(folder, 'secret');
  await writeFile(file, 'a file that is none of the worker');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Content-Type', 'text/javascript');
    response.end('export const loaded = true;');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    library: await nativeLibrary(),
    file,
    written: join(folder, 'written'),
    address: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** node-datachannel's, which Deno's main thread may load. */
async function nativeLibrary(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('node-datachannel');
  const packages = entry.slice(0, entry.lastIndexOf('node_modules') + 'node_modules'.length);
  for (const owner of ['node-datachannel', '@node-datachannel']) {
    const names = await readdir(join(packages, owner), { recursive: true }).catch((): string[] => []);
    const found = names.find((name) => name.endsWith('.node'));
    if (found !== undefined) return join(packages, owner, found);
  }
  throw new Error('node-datachannel has no native library here.');
}
