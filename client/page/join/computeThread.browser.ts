// The heavy part of the volunteer's page: the compute thread and PeerJS. Loaded after consent.

import { proxy, transfer, wrap, type Remote } from 'comlink';
import type { ComputeApi, ComputeStart, ComputeStatus } from '../../runtime/computeApi.ts';
import type { WorkerEnd } from '../../runtime/workerStatus.ts';
import { servePeerEndpoint } from '../../transport/servePeerEndpoint.browser.ts';

export interface ComputeThread {
  readonly api: Remote<ComputeApi>;
  /** Resolves when the worker's life is over; rejects when the thread broke. */
  readonly ended: Promise<WorkerEnd>;
}

/** Starts a fresh thread: whatever a broken one held is gone with it. */
export function startComputeThread(
  start: ComputeStart,
  onStatus: (status: ComputeStatus) => void,
): ComputeThread {
  const thread = new Worker(new URL('../../runtime/compute.browser.ts', import.meta.url), { type: 'module' });
  const api = wrap<ComputeApi>(thread);
  const { port1, port2 } = new MessageChannel();
  const stopServing = servePeerEndpoint(port1);
  const crash = new Promise<never>((_, reject) => {
    thread.onerror = (event) => reject(new Error(event.message || 'the compute thread could not be loaded'));
  });
  // Some people switch WebRTC off, so that their address stays hidden; the relay still works then.
  const signalling = 'RTCPeerConnection' in globalThis ? transfer(port2, [port2]) : undefined;
  const ended = Promise.race([api.run(start, signalling, proxy(onStatus)), crash]).finally(() => {
    stopServing();
    thread.terminate();
  });
  return { api, ended };
}
