// The compute thread of a volunteer's tab: a dedicated worker that holds the control socket, the device and the
// session. The page keeps PeerJS, because workers have no RTCPeerConnection, and hands the data channels over.

import { expose } from 'comlink';
import { createBlobFetcher } from '../blobs/blobFetcher.ts';
import { tabBlobCache } from '../blobs/tabBlobCache.browser.ts';
import { systemClock } from '../../shared/clock.ts';
import type { ControlSocket } from '../control/controlClient.ts';
import type { ByteSocket } from '../program/byteSocket.ts';
import { browserThreads } from '../thread/startJobThread.browser.ts';
import { openOwnerThread } from '../thread/openOwnerThread.browser.ts';
import { remotePeerEndpoint } from '../transport/remotePeerEndpoint.ts';
import { browserGpuAccess } from './acquireDevice.browser.ts';
import { acquireDevice } from './acquireDevice.ts';
import type { ComputeApi, ComputeStart } from './computeApi.ts';
import { openTransport, type OpenPeerEndpoint } from './openTransport.ts';
import { Worker } from './worker.ts';
import type { WorkerPlatform } from './workerPlatform.ts';

/** A visitor's browser is not the place for more. */
const MAX_CACHE_BYTES = 512 * 1024 ** 2;

function tabPlatform(
  { url: origin, threads = navigator.hardwareConcurrency }: ComputeStart,
  signalling: MessagePort | undefined,
  onBytes: (count: number) => void,
): WorkerPlatform {
  const random = Math.random;
  const log = (line: string): void => console.info(line);
  const cache = tabBlobCache(MAX_CACHE_BYTES);
  const openPeerEndpoint: OpenPeerEndpoint = async (options) => {
    if (!signalling) throw new Error('this browser has no WebRTC, or it is switched off');
    return remotePeerEndpoint(signalling, options);
  };
  return {
    runtime: 'browser',
    cores: navigator.hardwareConcurrency,
    clock: systemClock,
    random,
    openSocket: (url) => new WebSocket(url) as unknown as ControlSocket,
    acquireDevice: (wish) =>
      acquireDevice(
        wish,
        browserGpuAccess,
        { cache, now: () => performance.now(), log },
        { threads, startThread: browserThreads() },
      ),
    openTransport: (welcome, signal) => openTransport(openPeerEndpoint, { origin, welcome, log, signal }),
    fetchBlob: createBlobFetcher({
      origin,
      cache,
      clock: systemClock,
      random,
      onBytes,
    }),
    programs: {
      openThread: openOwnerThread,
      openSocket: (url) => new WebSocket(url) as unknown as ByteSocket,
    },
    log,
  };
}

/** Browsers freeze idle background tabs, but none that holds a lock. */
function holdLock(until: Promise<unknown>): void {
  // Not there over plain http from another machine.
  const locks = navigator.locks as LockManager | undefined;
  locks
    ?.request('tabgrad-worker', { mode: 'shared' }, () => until)
    .catch((error: unknown) => console.info(`No lock: ${String(error)}`));
}

let worker: Worker | undefined;

const api: ComputeApi = {
  async run(start, signalling, onStatus, onIdentity) {
    let downloadedBytes = 0;
    const platform = tabPlatform(start, signalling, (count) => (downloadedBytes += count));
    const current = new Worker({ ...start, allowCode: true, onIdentity }, platform, (status) =>
      onStatus({ ...status, downloadedBytes }),
    );
    current.lendShare(start.share);
    worker = current;
    holdLock(current.ended);
    return current.ended;
  },
  pause: () => worker?.pause(),
  resume: () => worker?.resume(),
  leave: (reason) => void worker?.leave(reason),
  lendShare: (share) => worker?.lendShare(share),
  retryNow: () => worker?.retryNow(),
  heldRows: async () => worker?.heldRows(),
};

expose(api);
