import { describe, expect, it } from 'vitest';
import type { ProgramPipe } from '../../../../coordinator/core/programs/programPipe.ts';
import { passFrames } from '../../../../coordinator/core/programs/slotSockets.ts';

const MEBIBYTE = 1024 * 1024;

/** A pipe whose other end takes frames when it is told to. */
class SlowPipe implements ProgramPipe {
  readonly closed = new Promise<string>(() => undefined);
  isRead = true;
  readonly #waiting: { readonly frame: Uint8Array; readonly taken: (() => void) | undefined }[] = [];
  #receive: (frame: Uint8Array) => void = () => undefined;

  get bufferedBytes(): number {
    return this.#waiting.reduce((sum, { frame }) => sum + frame.length, 0);
  }

  send(frame: Uint8Array, taken?: () => void): void {
    this.#waiting.push({ frame, taken });
  }

  take(): number | undefined {
    const first = this.#waiting.shift();
    first?.taken?.();
    return first?.frame.length;
  }

  read(isWanted: boolean): void {
    this.isRead = isWanted;
  }

  onFrame(receive: (frame: Uint8Array) => void): void {
    this.#receive = receive;
  }

  come(frame: Uint8Array): void {
    this.#receive(frame);
  }

  close(): void {
    throw new Error('nothing is to be closed');
  }
}

describe('passFrames', () => {
  it('passes frames on in order', () => {
    const [from, to] = [new SlowPipe(), new SlowPipe()];
    passFrames(from, to);
    for (const length of [0, 1, 2]) from.come(new Uint8Array(length));
    expect([to.take(), to.take(), to.take(), to.take()]).toEqual([0, 1, 2, undefined]);
    expect(from.isRead).toBe(true);
  });

  it('reads no more while the other end is far behind, and again when it has caught up', () => {
    const [from, to] = [new SlowPipe(), new SlowPipe()];
    passFrames(from, to);
    const reading: boolean[] = [];
    for (let i = 0; i < 5; i++) {
      from.come(new Uint8Array(16 * MEBIBYTE));
      reading.push(from.isRead);
    }
    expect(reading).toEqual([true, true, true, true, false]);
    to.take();
    expect(from.isRead).toBe(true);
  });
});
