// All streams to and from one peer. Sorts arriving frames to their streams and drops those of finished work.

import { decodeFrame, encodeFrame, FrameInvalidError, type Frame } from '../../shared/wire/frame.ts';
import type { Link } from '../transport/link.ts';
import { InStream } from './inStream.ts';
import { OutStream } from './outStream.ts';

/** How many collectives a peer may be ahead. Members meet every MEETING_INTERVAL, so honest peers never get there. */
export const MEETING_INTERVAL = 256;
const MAX_SEQUENCES_AHEAD = 2 * MEETING_INTERVAL;
/** Streams of one collective: contributions, results. */
const STREAMS = 2;

export interface StreamContext {
  readonly generation: number;
  /** Where this member stands: frames of collectives that are over are stale. */
  isOver(sequence: number): boolean;
  nextSequence(): number;
  /** A frame was dropped because its generation or collective is over. */
  countStale(): void;
  fail(error: unknown): void;
}

export class PeerStreams {
  readonly rank: number;
  readonly link: Link;
  lostReason: string | undefined;
  readonly #context: StreamContext;
  readonly #ins = new Map<number, InStream>();
  readonly #outs = new Map<number, OutStream>();

  constructor(rank: number, link: Link, context: StreamContext) {
    this.rank = rank;
    this.link = link;
    this.#context = context;
    link.onMessage((message) => {
      try {
        this.#receive(message);
      } catch (error) {
        context.fail(error);
      }
    });
  }

  input(sequence: number, stream: number): InStream {
    const key = keyOf(sequence, stream);
    let found = this.#ins.get(key);
    if (!found) {
      found = new InStream(this.link.peer, (consumed, total) =>
        this.#sendCredit(sequence, stream, consumed, total),
      );
      this.#ins.set(key, found);
    }
    return found;
  }

  output(sequence: number, stream: number, totalBytes: number): OutStream {
    const created = new OutStream(this.link.peer, totalBytes);
    this.#outs.set(keyOf(sequence, stream), created);
    return created;
  }

  /** Whether the collective still has to receive from or send to this peer. */
  isNeededBy(sequence: number): boolean {
    for (let stream = 0; stream < STREAMS; stream += 1) {
      const key = keyOf(sequence, stream);
      if (this.#ins.get(key)?.complete === false || this.#outs.get(key)?.complete === false) return true;
    }
    return false;
  }

  forget(sequence: number): void {
    for (let stream = 0; stream < STREAMS; stream += 1) {
      this.#ins.delete(keyOf(sequence, stream));
      this.#outs.delete(keyOf(sequence, stream));
    }
  }

  #receive(message: Uint8Array): void {
    const frame = decodeFrame(message, this.link.peer);
    const { generation, sequence, stream } = frame;
    if (generation !== this.#context.generation) return this.#context.countStale();
    if (frame.kind === 'credit') return this.#outs.get(keyOf(sequence, stream))?.credit(frame.offset);
    if (this.#context.isOver(sequence)) return this.#context.countStale();
    this.#checkPlace(frame);
    this.input(sequence, stream).accept(frame);
  }

  #checkPlace(frame: Frame): void {
    const ahead = frame.sequence - this.#context.nextSequence();
    const peer = this.link.peer;
    if (frame.stream >= STREAMS || frame.part !== this.rank || ahead > MAX_SEQUENCES_AHEAD) {
      throw new FrameInvalidError(
        `Peer ${peer} (rank ${this.rank}) sent stream ${frame.stream} of part ${frame.part}, ${ahead} collectives ahead.`,
        { peer },
      );
    }
  }

  #sendCredit(sequence: number, stream: number, consumedBytes: number, totalBytes: number): void {
    const header = {
      kind: 'credit',
      elementType: 'bytes',
      generation: this.#context.generation,
      sequence,
      stream,
      part: 0,
      offset: consumedBytes,
      totalBytes,
    } as const;
    // Closed links tell so themselves, and a peer that has sent everything needs no credit.
    this.link.send(encodeFrame(header, new Uint8Array(0))).catch(() => undefined);
  }
}

function keyOf(sequence: number, stream: number): number {
  return sequence * STREAMS + stream;
}
