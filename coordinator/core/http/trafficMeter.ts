// Counts the bytes of every connection on the wire, by what they are for. Among other things this shows that gradients
// don't pass through the coordinator while links are direct.

import type { Socket } from 'node:net';

const trafficClasses = ['control', 'signalling', 'relay', 'blobs', 'programs', 'page', 'api'] as const;
export type TrafficClass = (typeof trafficClasses)[number];

interface TrafficCount {
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export type Traffic = Readonly<Record<TrafficClass, TrafficCount>>;

interface Track {
  trafficClass: TrafficClass;
  sentBytes: number;
  receivedBytes: number;
}

export class TrafficMeter {
  readonly #open = new Map<Socket, Track>();
  readonly #settled = new Map<TrafficClass, { sentBytes: number; receivedBytes: number }>(
    trafficClasses.map((name) => [name, { sentBytes: 0, receivedBytes: 0 }]),
  );

  /** From now on, and back to the last `settle`, the bytes of this socket are of `trafficClass`. */
  assign(socket: Socket, trafficClass: TrafficClass): void {
    const track = this.#open.get(socket);
    if (track) {
      track.trafficClass = trafficClass;
      return;
    }
    this.#open.set(socket, { trafficClass, sentBytes: 0, receivedBytes: 0 });
    socket.once('close', () => {
      this.settle(socket);
      this.#open.delete(socket);
    });
  }

  /** Books what the socket carried so far: an HTTP connection carries requests of several classes in turn. */
  settle(socket: Socket): void {
    const track = this.#open.get(socket);
    const count = track && this.#settled.get(track.trafficClass);
    if (!track || !count) return;
    count.sentBytes += socket.bytesWritten - track.sentBytes;
    count.receivedBytes += socket.bytesRead - track.receivedBytes;
    track.sentBytes = socket.bytesWritten;
    track.receivedBytes = socket.bytesRead;
  }

  totals(): Traffic {
    for (const socket of this.#open.keys()) this.settle(socket);
    return Object.fromEntries(
      trafficClasses.map((name) => [name, { ...this.#settled.get(name) }]),
    ) as Traffic;
  }
}
