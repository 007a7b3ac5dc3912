// Real workers (Node processes over WebRTC) that are killed and replaced one after the other: the model is that of an
// undisturbed run, every round is recorded once, and no loss costs more than a few changes of the group.

import { expect, it } from 'vitest';
import { fromItems } from '../../coordinator/data/fromMemory.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { churnRun } from './churnRun.ts';

const ROUNDS = 40;
const random = seededRandom(3);
const dataset = fromItems(
  Array.from({ length: 20_000 }, () => {
    const [x, y, z] = [random(), random(), random()];
    return { x, y, z, label: x * y + 0.2 * random() > z * z ? 1 : 0 };
  }),
);
const options = { dataset, labelColumn: 'label', rounds: ROUNDS };

it('end with the same bytes, every round once and in order, a few changes of the group for each that is killed', async () => {
  const calm = await churnRun({ ...options, workers: 1 });
  const order = Array.from({ length: ROUNDS }, (_, round) => round);
  expect(calm.rounds).toEqual(order);
  const churned = await churnRun({
    ...options,
    workers: 3,
    onRound: (round, kill) => {
      if (round % 10 === 5) kill(((round - 5) / 10) % 3);
    },
  });
  expect(churned.kills).toBe(4);
  expect(churned.rounds).toEqual(order);
  expect(churned.modelSha256).toBe(calm.modelSha256);
  // Without the one that is lost, with the one that replaces it, and once more where both come together; and now and then for
  // the speed of members.
  expect(churned.generations).toBeLessThanOrEqual(1 + 3 * churned.kills + ROUNDS / 10);
  expect(churned.generations).toBeGreaterThan(1);
}, 180_000);
