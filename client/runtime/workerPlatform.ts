// What a platform gives to the worker: sockets, time, a GPU, links to peers, blobs. One object a runtime.

import type { DeviceWish, Runtime } from '../../shared/protocol/runtimes.ts';
import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import type { FetchBlob } from '../blobs/blobFetcher.ts';
import type { Clock } from '../../shared/clock.ts';
import type { ControlSocket, Identity } from '../control/controlClient.ts';
import type { ByteSocket } from '../program/byteSocket.ts';
import type { OpenOwnerThread } from '../thread/threadPort.ts';
import type { LinkConnector } from '../transport/link.ts';
import type { AcquiredDevice } from './acquireDevice.ts';

/** This worker's end of the peer-to-peer network. */
export interface WorkerTransport {
  readonly connector: LinkConnector;
  /** The id under which peers dial this worker. */
  readonly peerId: string;
  /** Resolves with the reason when it can't be used any more; a new one is then opened. Never rejects. */
  readonly closed: Promise<string>;
  /** STUN and TURN servers for links that are made from now on. */
  useIceServers(servers: CoordinatorMessageOf<'iceServers'>['iceServers']): void;
  close(): Promise<void>;
}

export interface WorkerPlatform {
  readonly runtime: Runtime;
  readonly cores: number;
  readonly clock: Clock;
  readonly random: () => number;
  openSocket(url: string): ControlSocket;
  acquireDevice(wish: DeviceWish): Promise<AcquiredDevice>;
  /** Rejects when signalling can't be reached; it is then tried again. */
  openTransport(welcome: CoordinatorMessageOf<'welcome'>, signal: AbortSignal): Promise<WorkerTransport>;
  readonly fetchBlob: FetchBlob;
  /** Threads for owners' code, and sockets that programs in them are called over; absent where there are no threads. */
  readonly programs?: {
    readonly openThread: OpenOwnerThread;
    openSocket(url: string): ByteSocket;
  };
  log(line: string): void;
}

export interface WorkerOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly device: DeviceWish;
  readonly name?: string | undefined;
  /** An identity kept from before a reload, if there is one. */
  readonly identity?: Identity | undefined;
  /** Told the identity under which this worker has joined. */
  readonly onIdentity?: ((identity: Identity) => void) | undefined;
  /** Whether functions of owners may run here (trainLoopPerWorker, programs). */
  readonly allowCode: boolean;
}
