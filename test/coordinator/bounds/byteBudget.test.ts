import { describe, expect, it } from 'vitest';
import { ByteBudget, type HeldBytes } from '../../../coordinator/bounds/byteBudget.ts';

describe('ByteBudget', () => {
  const evicted: string[] = [];
  const open = (budget: ByteBudget, party: string, name: string): HeldBytes =>
    budget.open(party, () => void evicted.push(name));

  it('lets all hold what they have as long as it fits', () => {
    evicted.length = 0;
    const budget = new ByteBudget({ maxBytes: 100 });
    const a = open(budget, 'a', 'a');
    const b = open(budget, 'b', 'b');
    a.set(60);
    b.set(40);
    expect([budget.heldBytes, evicted]).toEqual([100, []]);
    a.set(10);
    b.set(90);
    a.release();
    a.release();
    expect([budget.heldBytes, evicted]).toEqual([90, []]);
  });

  it('takes from the party that holds most, its largest first, and not from who came last', () => {
    evicted.length = 0;
    const budget = new ByteBudget({ maxBytes: 100 });
    open(budget, 'flood', 'small').set(20);
    open(budget, 'flood', 'large').set(45);
    open(budget, 'flood', 'middle').set(25);
    const honest = open(budget, 'honest', 'honest');
    honest.set(30);
    expect([budget.heldBytes, evicted]).toEqual([75, ['large']]);
    honest.set(55);
    expect([budget.heldBytes, evicted]).toEqual([100, ['large']]);
    honest.set(56);
    expect([budget.heldBytes, evicted]).toEqual([45, ['large', 'honest']]);
    honest.set(1_000);
    expect([budget.heldBytes, evicted]).toEqual([45, ['large', 'honest']]);
  });

  it('limits each party by itself', () => {
    evicted.length = 0;
    const budget = new ByteBudget({ maxBytes: 100, maxBytesEach: 40 });
    const first = open(budget, 'a', 'first');
    first.set(30);
    open(budget, 'a', 'second').set(11);
    expect([budget.heldBytes, evicted]).toEqual([11, ['first']]);
  });

  it('can be asked again from within an eviction', () => {
    const budget = new ByteBudget({ maxBytes: 10 });
    let next: HeldBytes | undefined;
    const first = budget.open('a', () => {
      next = budget.open('a', () => undefined);
      next.set(7);
    });
    first.set(11);
    expect(budget.heldBytes).toBe(7);
    next?.release();
    expect(budget.heldBytes).toBe(0);
  });
});
