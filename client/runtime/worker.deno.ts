// Entry point of a worker in Deno (dist/deno/worker.js).

import { noBlobCache } from '../blobs/blobCache.ts';
import { createBlobFetcher } from '../blobs/blobFetcher.ts';
import { diskBlobCache } from '../blobs/diskBlobCache.node.ts';
import { systemClock } from '../../shared/clock.ts';
import type { ControlSocket } from '../control/controlClient.ts';
import type { ByteSocket } from '../program/byteSocket.ts';
import { openOwnerThread } from '../thread/openOwnerThread.deno.ts';
import { denoGpuAccess } from './acquireDevice.deno.ts';
import { acquireDevice } from './acquireDevice.ts';
import { openTransport, type OpenPeerEndpoint } from './openTransport.ts';
import { denoThreads } from '../thread/startJobThread.deno.ts';
import { runTerminalWorker } from './terminalWorker.ts';

interface DenoGlobal {
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined; delete(name: string): void };
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
  addSignalListener(signal: 'SIGINT' | 'SIGTERM', handler: () => void): void;
  exit(code: number): never;
}

export const deno = (globalThis as unknown as { Deno: DenoGlobal }).Deno;

const MAX_CACHE_BYTES = 4 * 1024 ** 3;

const encoder = new TextEncoder();
const readEnv = (name: string): string | undefined => {
  try {
    return deno.env.get(name);
  } catch {
    // Not permitted: the same as not set.
    return undefined;
  }
};

/** Loaded when it is needed: where its native module is missing, the worker still has the relay. */
const openPeerEndpoint: OpenPeerEndpoint = async (options) =>
  (await import('../transport/openPeerEndpoint.node.ts')).openPeerEndpoint(options);

const exitCode = await runTerminalWorker(
  {
    args: deno.args,
    env: readEnv,
    forgetEnv: (name) => {
      try {
        deno.env.delete(name);
      } catch {
        // Not permitted: then programs, which have the same permissions, can't read it either.
      }
    },
    interactive: deno.stdout.isTerminal(),
    write: (text) => void deno.stdout.writeSync(encoder.encode(text)),
    writeError: (text) => void deno.stderr.writeSync(encoder.encode(text)),
    onInterrupt: (interrupted) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        deno.addSignalListener(signal, () => interrupted(signal));
      }
    },
    openInput: () => deno.stdin.readable,
    defaultCacheFolder: `${readEnv('HOME') ?? '.'}/.cache/tabgrad/blobs`,
  },
  (options, log) => {
    const random = Math.random;
    const { url: origin, cacheFolder } = options;
    const threads = { threads: options.threads ?? navigator.hardwareConcurrency, startThread: denoThreads };
    const cache = cacheFolder === undefined ? noBlobCache : diskBlobCache(cacheFolder, MAX_CACHE_BYTES);
    return {
      runtime: 'deno',
      cores: navigator.hardwareConcurrency,
      clock: systemClock,
      random,
      openSocket: (url) => new WebSocket(url) as unknown as ControlSocket,
      acquireDevice: (wish) =>
        acquireDevice(wish, denoGpuAccess, { cache, now: () => performance.now(), log }, threads),
      openTransport: (welcome, signal) => openTransport(openPeerEndpoint, { origin, welcome, log, signal }),
      fetchBlob: createBlobFetcher({ origin, cache, clock: systemClock, random }),
      programs: {
        openThread: openOwnerThread,
        openSocket: (url) => new WebSocket(url) as unknown as ByteSocket,
      },
      log,
    };
  },
);
deno.exit(exitCode);
