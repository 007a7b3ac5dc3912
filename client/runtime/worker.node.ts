// Entry point of a worker in Node (dist/node/worker.js).

import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { MAX_CONTROL_MESSAGE_BYTES } from '../../shared/protocol/control.ts';
import { noBlobCache } from '../blobs/blobCache.ts';
import { createBlobFetcher } from '../blobs/blobFetcher.ts';
import { diskBlobCache } from '../blobs/diskBlobCache.node.ts';
import { systemClock } from '../../shared/clock.ts';
import type { ControlSocket } from '../control/controlClient.ts';
import { MAX_PROGRAM_FRAME_BYTES } from '../../shared/protocol/program.ts';
import type { ByteSocket } from '../program/byteSocket.ts';
import { openOwnerThread } from '../thread/openOwnerThread.node.ts';
import { acquireDevice } from './acquireDevice.ts';
import { nodeGpuAccess } from './acquireDevice.node.ts';
import { openTransport, type OpenPeerEndpoint } from './openTransport.ts';
import { nodeThreads } from '../thread/startJobThread.node.ts';
import { runTerminalWorker } from './terminalWorker.ts';

const MAX_CACHE_BYTES = 4 * 1024 ** 3;
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Loaded when it is needed: where its native module is missing, the worker still has the relay. */
const openPeerEndpoint: OpenPeerEndpoint = async (options) =>
  (await import('../transport/openPeerEndpoint.node.ts')).openPeerEndpoint(options);

const exitCode = await runTerminalWorker(
  {
    args: process.argv.slice(2),
    env: (name) => process.env[name],
    forgetEnv: (name) => void Reflect.deleteProperty(process.env, name),
    interactive: process.stdout.isTTY,
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    onInterrupt: (interrupted) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted(signal));
    },
    openInput: () => Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    defaultCacheFolder: join(homedir(), '.cache', 'tabgrad', 'blobs'),
  },
  (options, log) => {
    const random = Math.random;
    const gpuAccess = nodeGpuAccess();
    const { url: origin, cacheFolder } = options;
    const threads = { threads: options.threads ?? availableParallelism(), startThread: nodeThreads() };
    const cache = cacheFolder === undefined ? noBlobCache : diskBlobCache(cacheFolder, MAX_CACHE_BYTES);
    return {
      runtime: 'node',
      cores: availableParallelism(),
      clock: systemClock,
      random,
      openSocket: (url) =>
        new WebSocket(url, {
          maxPayload: MAX_CONTROL_MESSAGE_BYTES,
          handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        }) as unknown as ControlSocket,
      acquireDevice: (wish) =>
        acquireDevice(wish, gpuAccess, { cache, now: () => performance.now(), log }, threads),
      openTransport: (welcome, signal) => openTransport(openPeerEndpoint, { origin, welcome, log, signal }),
      fetchBlob: createBlobFetcher({ origin, cache, clock: systemClock, random }),
      programs: {
        openThread: openOwnerThread,
        openSocket: (url) =>
          new WebSocket(url, {
            maxPayload: MAX_PROGRAM_FRAME_BYTES,
            handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
            perMessageDeflate: false,
          }) as unknown as ByteSocket,
      },
      log,
    };
  },
);
// Sockets and native threads of WebRTC and Dawn would keep the process up.
process.exit(exitCode);
