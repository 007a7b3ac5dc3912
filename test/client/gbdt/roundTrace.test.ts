import { describe, expect, it } from 'vitest';
import { RoundTrace } from '../../../client/gbdt/roundTrace.ts';

const SEED = 'ab'.repeat(16);
const forever = new AbortController().signal;

/** One step of one node, of two features with two slots each; the member owns the first one. */
function keep(trace: RoundTrace, cells: readonly number[], received: readonly number[]): void {
  trace.keep({
    output: 0,
    limb: 'high',
    nodes: [0],
    sent: Float64Array.from(cells),
    received: [new Float64Array(0), Float64Array.from(received)],
    bounds: [0, 2, 4],
  });
}

async function traced(rounds: number): Promise<RoundTrace> {
  const trace = new RoundTrace(0, 2, 4);
  for (let round = 0; round < rounds; round += 1) {
    await trace.begin(round, forever);
    keep(trace, [round, 1, 2, 3, 4, 5, 6, 7], [9, 9, 9, 9]);
  }
  return trace;
}

describe('what a member keeps of its rounds', () => {
  it('is told of the rounds that are asked about, and may be asked about again', async () => {
    const trace = await traced(6);
    const first = trace.check(SEED, 0, 3);
    expect(first.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(trace.check(SEED, 0, 3)).toEqual(first);
    expect(trace.check('cd'.repeat(16), 0, 3)).not.toEqual(first);
  });

  it('is let go before the rounds that are asked about', async () => {
    const trace = await traced(6);
    expect(trace.check(SEED, 3, 6).map(({ round }) => round)).toEqual([3, 4, 5]);
    // Part of an answer would be taken for one about other rounds.
    expect(trace.check(SEED, 2, 6)).toEqual([]);
  });

  it('is the same of equal sums, and another of others', async () => {
    const [one, other] = [await traced(2), await traced(2)];
    expect(one.check(SEED, 0, 1)).toEqual(other.check(SEED, 0, 1));
    const [zero, first] = one.check(SEED, 0, 2);
    expect(zero!.sent).not.toEqual(first!.sent);
    expect(zero!.received[0]).toEqual([0]);
  });

  it('says nothing of numbers that are none, which a peer may have sent', async () => {
    const trace = new RoundTrace(0, 2, 4);
    await trace.begin(0, forever);
    keep(trace, [1, 1, 1, 1, 1, 1, 1, 1], [NaN, 1, Infinity, 1]);
    expect(trace.check(SEED, 0, 1)[0]!.received).toEqual([[0], [0]]);
  });

  it('is bounded: the next round waits until something is let go', async () => {
    const trace = await traced(24);
    const controller = new AbortController();
    let hasBegun = false;
    const next = trace.begin(24, forever).then(() => (hasBegun = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasBegun).toBe(false);
    trace.check(SEED, 8, 16);
    await next;
    const full = await traced(24);
    const waiting = full.begin(24, controller.signal);
    controller.abort(new Error('withdrawn'));
    await expect(waiting).rejects.toThrow('withdrawn');
  });
});
