// Batches that strangers map, with workers that are functions: in many seeded rounds liars are found, what they said is made
// again, and nobody honest is accused.

import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { CheckedBatches, type CheckTeller } from '../../../../coordinator/data/operators/checkedBatches.ts';
import { compareBatches } from '../../../../coordinator/data/operators/compareBatches.ts';
import type { PlacedWorker } from '../../../../coordinator/core/programs/programPipe.ts';
import { checkAnswer, type Answered, type Liar } from '../../../../coordinator/program/checks/answerCheck.ts';
import type { HeldBatch } from '../../../../coordinator/data/operators/heldBatch.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const predicts = { outputs: ['p'], keepColumns: false, areFinite: true, tolerance: 0 };

function batchOf(values: readonly number[]): arrow.RecordBatch {
  return new arrow.Table({ p: arrow.vectorFromArray(values, new arrow.Float32()) }).batches[0]!;
}

const firstOf = (batch: arrow.RecordBatch): number => batch.getChild('p')!.get(0) as number;

interface Conduct {
  readonly isOwners?: boolean;
  readonly checksPassed?: number;
  /** Whether it says one more than is right. @param isAgain when it is to compute what a peer has answered. */
  lies?(index: number, isAgain: boolean, of: string | undefined): boolean;
}

interface Job {
  readonly batches: number;
  readonly conducts: Readonly<Record<string, Conduct>>;
  readonly seed: number;
  readonly calls?: number;
  readonly maxHeldBytes?: number;
  /** Whether this process can compute the same. */
  readonly isBuiltin?: boolean;
}

interface Outcome {
  readonly given: readonly number[];
  readonly liars: readonly (readonly [workerId: string, isProven: boolean])[];
  readonly checked: number;
  readonly computedHere: number;
  readonly mapped: number;
  readonly again: number;
  readonly givenOn: number;
  readonly passed: ReadonlyMap<string, number>;
  readonly mostHeld: number;
}

/** Batch i holds i, and is mapped to i + 0.5. */
async function run({
  batches,
  conducts,
  seed,
  calls = 6,
  maxHeldBytes,
  isBuiltin = true,
}: Job): Promise<Outcome> {
  const random = seededRandom(seed);
  const excluded = new Set<string>();
  const told = { checked: 0, again: 0, mapped: 0, givenOn: 0 };
  const liars: (readonly [string, boolean])[] = [];
  const passed = new Map<string, number>();
  let computedHere = 0;
  let read = 0;
  let mostHeld = 0;
  const given: number[] = [];
  const turns = async (): Promise<void> => {
    for (let i = Math.floor(random() * 8); i >= 0; i -= 1) await Promise.resolve();
  };
  const placed = (workerId: string): PlacedWorker => {
    const { isOwners = false, checksPassed = 0 } = conducts[workerId]!;
    return { workerId, runtime: 'node', device: 'cpu', isOwners, checksPassed };
  };
  const choose = (not: readonly string[]): string | undefined => {
    const all = Object.keys(conducts).filter((id) => !excluded.has(id) && !not.includes(id));
    const owners = all.filter((id) => conducts[id]!.isOwners === true);
    const among = not.length > 0 && owners.length > 0 ? owners : all;
    return among[Math.floor(random() * among.length)];
  };
  const answer = async (
    workerId: string,
    batch: arrow.RecordBatch,
    of?: string,
  ): Promise<Answered<arrow.RecordBatch>> => {
    await turns();
    const index = firstOf(batch);
    const isLie = conducts[workerId]!.lies?.(index, of !== undefined, of) === true;
    return { worker: placed(workerId), value: batchOf([index + 0.5 + (isLie ? 1 : 0)]) };
  };
  const teller: CheckTeller = {
    mapped: () => void (told.mapped += 1),
    checked: () => void (told.checked += 1),
    discarded: () => void (told.again += 1),
    lied: (_, rows) => void (told.givenOn += rows),
  };
  const checked = new CheckedBatches({
    calls,
    ...(maxHeldBytes !== undefined && { maxHeldBytes }),
    isChecked: ({ isOwners }) => !isOwners,
    ask: async (held: HeldBatch) => {
      held.bytes = 1_000;
      const workerId = choose([]);
      if (workerId === undefined) throw new Error('no worker is left');
      return answer(workerId, held.batch);
    },
    check: ({ batch }, said) =>
      checkAnswer(batch, said, {
        askAnother: async (asked, not) => {
          const workerId = choose(not);
          return workerId === undefined ? undefined : answer(workerId, asked, said.worker.workerId);
        },
        compute: isBuiltin
          ? async (asked) => {
              computedHere += 1;
              await turns();
              return batchOf([firstOf(asked) + 0.5]);
            }
          : undefined,
        compare: (one, right) => compareBatches(one, right, isBuiltin ? predicts : undefined),
        random,
      }),
    lied: ({ worker, isProven }: Liar) => {
      excluded.add(worker.workerId);
      liars.push([worker.workerId, isProven]);
    },
    passed: (workerId) => void passed.set(workerId, (passed.get(workerId) ?? 0) + 1),
    told: teller,
    random,
    throwIfOff: () => undefined,
    signal: new AbortController().signal,
  });
  const source = async function* (): AsyncGenerator<arrow.RecordBatch> {
    for (; read < batches; read += 1) {
      await turns();
      mostHeld = Math.max(mostHeld, read - given.length);
      yield batchOf([read]);
    }
  };
  for await (const batch of checked.map(source())) given.push(firstOf(batch));
  return { given, liars, ...told, computedHere, passed, mostHeld };
}

const right = (batches: number): number[] => Array.from({ length: batches }, (_, i) => i + 0.5);
const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe('batches of strangers', () => {
  it('come back once and in order, and nobody honest is ever accused', async () => {
    let checks = 0;
    for (const seed of seeds(60)) {
      const conducts = { a: {}, b: { checksPassed: 30 }, c: {}, d: seed % 2 === 0 ? { isOwners: true } : {} };
      const outcome = await run({ batches: 150, conducts, seed });
      expect(outcome.given).toEqual(right(150));
      expect(outcome.liars).toEqual([]);
      expect([outcome.again, outcome.givenOn]).toEqual([0, 0]);
      checks += outcome.checked;
    }
    expect(checks).toBeGreaterThan(1_500);
  });

  it('are checked often at first, then ever more seldom, and at the end once more', async () => {
    const fresh = await run({ batches: 600, conducts: { a: {}, b: {} }, seed: 1 });
    const known = await run({
      batches: 600,
      conducts: { a: { checksPassed: 500 }, b: { checksPassed: 500 } },
      seed: 1,
    });
    const few = await run({ batches: 2, conducts: { a: { checksPassed: 500 }, b: {} }, seed: 5 });
    expect(fresh.checked).toBeGreaterThan(40);
    expect(fresh.checked).toBeLessThan(120);
    expect(known.checked).toBeGreaterThan(5);
    expect(known.checked).toBeLessThan(30);
    expect(few.checked).toBeGreaterThan(0);
    const { passed, checked } = fresh;
    expect([...passed.values()].reduce((sum, count) => sum + count)).toBe(checked);
  });

  it('are made again where one lies always: nothing of what it said is given on', async () => {
    let again = 0;
    for (const seed of seeds(40)) {
      const outcome = await run({
        batches: 120,
        conducts: { a: {}, b: {}, liar: { lies: () => true } },
        seed,
      });
      expect(outcome.given).toEqual(right(120));
      expect(outcome.liars).toEqual([['liar', true]]);
      expect(outcome.givenOn).toBe(0);
      again += outcome.again;
    }
    expect(again).toBeGreaterThan(40);
  });

  it('of one who lies now and then are made again from its last good check on, and what was given on before is told', async () => {
    const wrong: number[] = [];
    let found = 0;
    for (const seed of seeds(60)) {
      const lots = seededRandom(seed + 1_000);
      const outcome = await run({
        batches: 400,
        conducts: { a: {}, b: {}, liar: { lies: () => lots() < 0.1 } },
        seed,
      });
      expect(outcome.liars.every(([workerId]) => workerId === 'liar')).toBe(true);
      found += outcome.liars.length;
      expect(outcome.given).toHaveLength(400);
      const lies = outcome.given.filter((value, i) => value !== i + 0.5).length;
      expect(lies).toBeLessThanOrEqual(outcome.liars.length === 0 ? 400 : outcome.givenOn);
      wrong.push(lies);
    }
    expect(found).toBeGreaterThan(54);
    wrong.sort((a, b) => a - b);
    expect(wrong[30]).toBeLessThan(5);
  });

  it('are found wrong also where those who check lie along with the liar', async () => {
    for (const seed of seeds(40)) {
      const colludes = (index: number, isAgain: boolean, of: string | undefined): boolean =>
        isAgain ? of !== 'a' : index >= 0;
      const outcome = await run({
        batches: 200,
        conducts: { a: {}, x: { lies: colludes }, y: { lies: colludes } },
        seed,
      });
      expect(outcome.liars.map(([workerId]) => workerId).sort()).toEqual(['x', 'y']);
      expect(outcome.given.length).toBe(200);
      const lies = outcome.given.filter((value, i) => value !== i + 0.5).length;
      expect(lies).toBeLessThanOrEqual(outcome.givenOn);
    }
  });

  it('accuse one who lies when it checks, and not whom it accuses', async () => {
    for (const seed of seeds(40)) {
      const outcome = await run({
        batches: 100,
        conducts: { a: {}, b: {}, slanderer: { lies: (_, isAgain) => isAgain } },
        seed,
      });
      expect(outcome.given).toEqual(right(100));
      expect(outcome.liars).toEqual([['slanderer', true]]);
    }
  });

  it('are checked here where there is one worker alone', async () => {
    const outcome = await run({ batches: 50, conducts: { a: {} }, seed: 2 });
    expect(outcome.given).toEqual(right(50));
    expect(outcome.computedHere).toBe(outcome.checked);
    const liar = run({ batches: 50, conducts: { a: { lies: () => true } }, seed: 2 });
    await expect(liar).rejects.toThrow('no worker is left');
  });

  it("of the owner's own are believed", async () => {
    const outcome = await run({ batches: 100, conducts: { mine: { isOwners: true } }, seed: 3 });
    expect([outcome.checked, outcome.computedHere]).toEqual([0, 0]);
    expect(outcome.mostHeld).toBeLessThanOrEqual(6);
  });

  it('are held in bounded memory: where it is full, whom the next one waits for is checked at once', async () => {
    const conducts = { a: { checksPassed: 500 }, b: { checksPassed: 500 } };
    const roomy = await run({ batches: 1_000, conducts, seed: 4 });
    const tight = await run({ batches: 1_000, conducts, seed: 4, maxHeldBytes: 20_000 });
    expect(tight.given).toEqual(right(1_000));
    expect(roomy.mostHeld).toBeGreaterThan(30);
    expect(roomy.mostHeld).toBeLessThanOrEqual(6 * 50);
    expect(tight.mostHeld).toBeLessThanOrEqual(26);
    expect(tight.checked).toBeGreaterThan(2 * roomy.checked);
  });
});

describe("batches of a function of the owner's that is deterministic", () => {
  it('are decided by two of three; one whom strangers alone accuse is not banned', async () => {
    const outcome = await run({
      batches: 100,
      conducts: { a: {}, b: {}, liar: { lies: () => true } },
      seed: 1,
      isBuiltin: false,
    });
    expect(outcome.given).toEqual(right(100));
    expect(outcome.liars).toEqual([['liar', false]]);
    const owned = await run({
      batches: 100,
      conducts: { a: {}, mine: { isOwners: true }, liar: { lies: () => true } },
      seed: 1,
      isBuiltin: false,
    });
    expect(owned.given).toEqual(right(100));
    expect(owned.liars).toEqual([['liar', true]]);
  });

  it('end the mapping where no two of three agree', async () => {
    const lots = seededRandom(9);
    const outcome = run({
      batches: 100,
      conducts: { a: { lies: () => lots() < 0.5 }, b: { lies: () => lots() < 0.5 } },
      seed: 1,
      isBuiltin: false,
    });
    await expect(outcome).rejects.toMatchObject({ code: 'PROGRAM_ANSWERS_DIFFER' });
  });

  it('of a stranger that is alone are taken as they are', async () => {
    const outcome = await run({ batches: 20, conducts: { a: {} }, seed: 1, isBuiltin: false });
    expect([outcome.given, outcome.checked]).toEqual([right(20), 0]);
  });
});
