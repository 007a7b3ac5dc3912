import { describe, expect, it } from 'vitest';
import { MessageProgress } from '../../../coordinator/bounds/messageProgress.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { frame } from './frames.ts';

const PONG = 10;
const CONTINUATION = 0;

describe('MessageProgress', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('follows a message of %i bytes', (length) => {
    const progress = new MessageProgress();
    const whole = frame(Buffer.alloc(length));
    progress.take(whole.subarray(0, -1));
    expect([progress.isUnfinished, progress.finishedMessages]).toEqual([length > 0, 0]);
    progress.take(whole.subarray(-1));
    expect([progress.isUnfinished, progress.heldBytes, progress.finishedMessages]).toEqual([false, 0, 1]);
  });

  it('tells the length that is announced before the bytes are there', () => {
    const progress = new MessageProgress();
    expect(progress.take(frame('', { announcedBytes: 5_000_000_000 }))).toBe(5_000_000_000);
    expect(progress.isUnfinished).toBe(true);
    expect(progress.heldBytes).toBeLessThan(1_000);
  });

  it('adds up fragments, with pongs between them', () => {
    const progress = new MessageProgress();
    const part = Buffer.alloc(1_000);
    expect(progress.take(frame(part, { isFinal: false }))).toBe(1_000);
    expect(progress.take(frame('pong', { opcode: PONG }))).toBe(1_000);
    expect(progress.take(frame(part, { opcode: CONTINUATION, isFinal: false }))).toBe(2_000);
    expect(progress.heldBytes).toBeGreaterThanOrEqual(2_000);
    expect(progress.finishedMessages).toBe(0);
    expect(progress.take(frame(part, { opcode: CONTINUATION }))).toBe(3_000);
    expect([progress.heldBytes, progress.finishedMessages]).toEqual([0, 1]);
  });

  it('counts a message of empty fragments as begun', () => {
    const progress = new MessageProgress();
    for (let i = 0; i < 100; i++) progress.take(frame('', { isFinal: false, opcode: i === 0 ? 1 : 0 }));
    expect(progress.isUnfinished).toBe(true);
    expect(progress.heldBytes).toBeGreaterThan(10_000);
  });

  it('counts the memory of many small pieces', () => {
    const progress = new MessageProgress();
    const whole = frame(Buffer.alloc(1_000));
    for (let at = 0; at < 1_000; at++) progress.take(whole.subarray(at, at + 1));
    expect(progress.heldBytes).toBeGreaterThan(100_000);
  });

  it('is the same however the bytes are cut', () => {
    const random = seededRandom(7);
    const lengths = Array.from({ length: 60 }, () => Math.floor(random() * random() * 140_000));
    const stream = Buffer.concat(
      lengths.flatMap((length, i) => [
        frame(Buffer.alloc(length), { isFinal: false, opcode: 1 + (i % 2) }),
        frame('ping', { opcode: 9 }),
        frame('end', { opcode: CONTINUATION }),
      ]),
    );
    const progress = new MessageProgress();
    let longest = 0;
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + Math.floor(random() * 20_000);
      longest = Math.max(longest, progress.take(stream.subarray(at, end)));
      at = end;
    }
    expect(longest).toBe(Math.max(...lengths) + 3);
    expect([progress.finishedMessages, progress.isUnfinished, progress.heldBytes]).toEqual([60, false, 0]);
  });
});
