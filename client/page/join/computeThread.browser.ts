// The heavy part of the volunteer's page: the compute thread and PeerJS. Loaded after consent.

import { proxy, transfer, wrap, type Remote } from 'comlink';
import type { Identity } from '../../control/controlClient.ts';
import type { ComputeApi, ComputeStart, ComputeStatus } from '../../runtime/computeApi.ts';
import type { WorkerEnd } from '../../runtime/workerStatus.ts';
import type { ConnectionTime } from '../../transport/connectionTimes.ts';
import { servePeerEndpoint } from '../../transport/servePeerEndpoint.browser.ts';

export interface ComputeThread {
  readonly api: Remote<ComputeApi>;
  /** Resolves when the worker's life is over; rejects when the thread broke. */
  readonly ended: Promise<WorkerEnd>;
  /** Of the direct links, by worker. */
  linkTimes(): Promise<ReadonlyMap<string, ConnectionTime>>;
}

export interface ComputeEvents {
  readonly onStatus: (status: ComputeStatus) => void;
  /** The worker has joined. */
  readonly onIdentity: (identity: Identity) => void;
}

/** Starts a fresh thread: whatever a broken one held is gone with it. */
export function startComputeThread(start: ComputeStart, events: ComputeEvents): ComputeThread {
  const thread = new Worker(new URL('../../runtime/compute.browser.ts', import.meta.url), { type: 'module' });
  const api = wrap<ComputeApi>(thread);
  const { port1, port2 } = new MessageChannel();
  const service = servePeerEndpoint(port1);
  const crash = new Promise<never>((_, reject) => {
    thread.onerror = (event) => reject(new Error(event.message || 'the compute thread could not be loaded'));
  });
  // Some people switch WebRTC off, so that their address stays hidden; the relay still works then.
  const signalling = 'RTCPeerConnection' in globalThis ? transfer(port2, [port2]) : undefined;
  const { onStatus, onIdentity } = events;
  const life = api.run(start, signalling, proxy(onStatus), proxy(onIdentity));
  const ended = Promise.race([life, crash]).finally(() => {
    service.stop();
    thread.terminate();
  });
  // A worker's PeerJS id is its own.
  return { api, ended, linkTimes: () => service.times() };
}
