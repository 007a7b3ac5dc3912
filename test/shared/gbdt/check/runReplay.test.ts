// Members' fingerprints of what they summed up against the rounds done once more from their trees.

import { describe, expect, it } from 'vitest';
import { add, isEqual, nothing, scale } from '../../../../shared/gbdt/check/fingerprint.ts';
import { checkKey } from '../../../../shared/gbdt/check/checkKey.ts';
import type { Fingerprint } from '../../../../shared/gbdt/check/checkKey.ts';
import { RunReplay } from '../../../../shared/gbdt/check/runReplay.ts';
import { trainLocally, type LocalOptions, type TracedRound } from '../../../client/gbdt/trainLocally.ts';
import type { OracleData } from '../../../oracle/xgboost.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const SEED = '00112233445566778899aabbccddeeff';
const PART_WEIGHTS = [77_711, 1_048_575, 3];

function data(rows: number, classes = 2): OracleData {
  const random = seededRandom(rows + classes);
  const columns = Array.from({ length: 7 }, (_, f) =>
    Float32Array.from({ length: rows }, () =>
      random() < 0.1 ? NaN : f === 6 ? Math.floor(random() * 9) : random() * 100,
    ),
  );
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const score = (columns[0]![row]! || 0) + (columns[6]![row]! || 0) * 10 + random() * 40;
    return Math.min(classes - 1, Math.floor((score / 180) * classes));
  });
  const weights = Float32Array.from({ length: rows }, () => 0.5 + random());
  return { columns, labels, weights, categorical: [false, false, false, false, false, false, true] };
}

/** What members say of a round, put together, and what the replay finds. */
function compare({ round, spec, trees, members }: TracedRound, replay: RunReplay): void {
  const slots = spec.device.slotsPerFeature.reduce((sum, count) => sum + count, 0);
  const key = checkKey(SEED, slots);
  const told = members.map(({ trace }) => trace.check(SEED, round, round + 1)[0]!);
  for (const one of told)
    expect(one.steps.map(({ nodes }) => nodes)).toEqual(told[0]!.steps.map(({ nodes }) => nodes));
  const [replayed] = replay.check({
    seed: SEED,
    firstRound: round,
    rounds: [{ trees }],
    members: members.map((_, rank) => ({
      shards: members[rank]!.shards.map((_shard, i) => `${rank}/${i}`),
      partWeights: PART_WEIGHTS.slice(0, members.length),
    })),
    evaluated: {},
  });
  expect(told[0]!.steps.map(({ output, limb, nodes }) => ({ output, limb, nodes }))).toEqual(replayed!.steps);
  told.forEach(({ sent, received }, rank) => {
    const weighed = sent.reduce<Fingerprint>(
      (sum, part, owner) => add(key, sum, scale(key, part, PART_WEIGHTS[owner]!)),
      nothing(key),
    );
    expect(replayed!.members[rank]).toEqual(weighed);
    received.forEach((part, from) => {
      if (from !== rank) expect(isEqual(part, told[from]!.sent[rank]!)).toBe(true);
    });
    expect(told[rank]!.steps.length).toBeGreaterThan(0);
  });
  expect(replayed!.falseValue).toBeUndefined();
  expect(replayed!.hidden).toBeUndefined();
}

async function train(rows: OracleData, options: Omit<LocalOptions, 'onRound'>): Promise<number> {
  let replay: RunReplay | undefined;
  let compared = 0;
  await trainLocally(rows, {
    ...options,
    onRound: (traced) => {
      if (!replay) {
        replay = new RunReplay(traced.spec);
        for (const [rank, { shards }] of traced.members.entries())
          for (const [i, shard] of shards.entries()) replay.add(`${rank}/${i}`, shard);
      }
      compare(traced, replay);
      compared += 1;
    },
  });
  return compared;
}

describe('rounds done once more', () => {
  const params = { max_depth: 5, objective: 'binary:logistic' };

  it.each<[string, Omit<LocalOptions, 'onRound'>, OracleData]>([
    ['one member', { params, rounds: 4, workers: 1 }, data(900)],
    ['three members', { params, rounds: 6, workers: 3, blocks: 7 }, data(2_000)],
    ['sums of two limbs', { params, rounds: 4, workers: 3, isWide: true }, data(800)],
    [
      'squared error of two limbs',
      { params: { max_depth: 4, objective: 'reg:squarederror' }, rounds: 4, workers: 2, isWide: true },
      data(700, 9),
    ],
    [
      'sampled rows',
      { params: { ...params, subsample: 0.5, colsample_bytree: 0.6 }, rounds: 5, workers: 3 },
      data(1_500),
    ],
    [
      'several classes',
      { params: { max_depth: 4, objective: 'multi:softprob', num_class: 4 }, rounds: 3, workers: 3 },
      data(1_200, 4),
    ],
    [
      'monotone constraints',
      { params: { ...params, monotone_constraints: '(1,-1,0,0,0,0,0)' }, rounds: 5, workers: 2 },
      data(1_500),
    ],
  ])('give the fingerprints that members tell: %s', async (_name, options, rows) => {
    expect(await train(rows, options)).toBe(options.rounds);
  });
});
