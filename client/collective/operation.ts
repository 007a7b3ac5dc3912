// One collective under way: its streams, and waits that end with the deadline, the abort signal or the group's failure.

import { encodeFrame, type ElementType, type FrameHeader } from '../../shared/wire/frame.ts';
import type { InStream } from './inStream.ts';
import type { OutStream } from './outStream.ts';
import type { PeerStreams } from './peerStreams.ts';

export interface OperationGroup {
  readonly rank: number;
  readonly size: number;
  readonly generation: number;
  /** Largest payload of one frame, a multiple of 8 bytes. */
  readonly chunkBytes: number;
  /** By rank; undefined at this member's own. */
  readonly peers: readonly (PeerStreams | undefined)[];
  /** Rejects when the group fails; `doing` completes "peer X did not …". */
  wait<T>(promise: Promise<T>, peer: string, doing: string, timeoutMs: number): Promise<T>;
  fail(error: unknown): void;
  requirePeer(peer: PeerStreams, sequence: number): void;
}

export class Operation {
  readonly group: OperationGroup;
  readonly #sequence: number;
  readonly #timeoutMs: number;
  readonly #elementType: ElementType;

  constructor(group: OperationGroup, sequence: number, elementType: ElementType, timeoutMs: number) {
    this.group = group;
    this.#sequence = sequence;
    this.#elementType = elementType;
    this.#timeoutMs = timeoutMs;
  }

  /** Ranks of the others, beginning behind this member so that not everybody sends to rank 0 first. */
  others(): number[] {
    const { rank, size } = this.group;
    return Array.from({ length: size - 1 }, (_, step) => (rank + 1 + step) % size);
  }

  /** @param totalBytes What must arrive; undefined when only the sender knows. */
  input(rank: number, stream: number, totalBytes: number | undefined): InStream {
    const peer = this.#peer(rank);
    const input = peer.input(this.#sequence, stream);
    input.expect(this.#elementType, totalBytes);
    this.group.requirePeer(peer, this.#sequence);
    return input;
  }

  output(rank: number, stream: number, totalBytes: number): OutStream {
    const peer = this.#peer(rank);
    const output = peer.output(this.#sequence, stream, totalBytes);
    this.group.requirePeer(peer, this.#sequence);
    return output;
  }

  /** The next bytes of a stream, at least one and at most `limit`; empty when the stream is over. */
  async take(input: InStream, limit: number): Promise<Uint8Array> {
    await this.arrival(input);
    return input.take(limit);
  }

  /** Resolves when the stream has bytes to take or is over. */
  async arrival(input: InStream): Promise<void> {
    const available = input.available();
    if (available) await this.group.wait(available, input.peer, 'send its part', this.#timeoutMs);
  }

  /** Sends one chunk to several peers; it is encoded once. Resolves when all of them have room for the next. */
  async send(outputs: readonly [number, OutStream][], stream: number, chunk: Uint8Array): Promise<void> {
    await Promise.all(outputs.map(([, output]) => this.#window(output, chunk.length)));
    let message: Uint8Array | undefined;
    await Promise.all(
      outputs.map(async ([rank, output]) => {
        const offset = output.advance(chunk.length);
        message ??= encodeFrame(this.#header(stream, offset, output.totalBytes), chunk);
        const sent = this.#peer(rank).link.send(message);
        await this.group.wait(sent, output.peer, 'take what was sent to it', this.#timeoutMs);
      }),
    );
  }

  /** Sends all of `bytes` to one peer, in chunks; one empty frame when there are none. */
  async sendAll(rank: number, output: OutStream, stream: number, bytes: Uint8Array): Promise<void> {
    const chunkBytes = this.group.chunkBytes;
    for (let at = 0; at === 0 || at < bytes.length; at += chunkBytes) {
      await this.send([[rank, output]], stream, bytes.subarray(at, at + chunkBytes));
    }
  }

  async #window(output: OutStream, bytes: number): Promise<void> {
    for (let opened = output.windowFor(bytes); opened; opened = output.windowFor(bytes)) {
      await this.group.wait(opened, output.peer, 'consume what was sent to it', this.#timeoutMs);
    }
  }

  #header(stream: number, offset: number, totalBytes: number): FrameHeader {
    return {
      kind: 'data',
      elementType: this.#elementType,
      generation: this.group.generation,
      sequence: this.#sequence,
      stream,
      part: this.group.rank,
      offset,
      totalBytes,
    };
  }

  #peer(rank: number): PeerStreams {
    const peer = this.group.peers[rank];
    if (!peer) throw new RangeError(`rank ${rank} is no other member of a group of ${this.group.size}`);
    return peer;
  }
}
