// Real workers, one of which forges what it tells: the model is that of the others, and the forger is named.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import { Strangers } from './strangers.ts';
import { flights, Swarm } from './swarm.ts';
import type { Trained } from './swarm.ts';

const ROWS = 200_000;
/** Its control messages are forged. */
const forging = { preload: 'forgeRounds' };

let swarm: Swarm;
let train: Dataset;
let alone: Trained;
let strangers: Strangers;

beforeAll(async () => {
  swarm = await Swarm.start();
  strangers = new Strangers(swarm.coordinator);
  train = await flights(ROWS).materialize();
  await swarm.add('node');
  alone = await swarm.train({ datasets: { train } }, 1);
  await swarm.dismiss();
});
afterEach(() => Promise.all([strangers.dismiss(), swarm.dismiss()]));
afterAll(() => swarm.close());

describe('a worker that forges its trees and metrics', () => {
  it.each([
    ['the first', true],
    ['the last', false],
  ])('is found where it joined as %s, and writes nothing of the model', async (_, isFirst) => {
    let forger = isFirst ? await strangers.add(forging) : '';
    await swarm.add('node', 'cpu', 2);
    if (!isFirst) forger = await strangers.add(forging);
    const trained = await swarm.train({ datasets: { train } }, [2, 3]);
    expect(trained.modelText).toBe(alone.modelText);
    expect(trained.result.metrics).toEqual(alone.result.metrics);
    const lost = trained.events.flatMap((event) => (event.type === 'workerLost' ? [event] : []));
    expect(lost.map(({ workerId, reason }) => [workerId, reason])).toEqual([
      [forger, 'its trees and metrics of round 0 differ from those of most members'],
    ]);
  });

  it('ends the run of a pair, since nobody can tell who is right', async () => {
    const forger = await strangers.add(forging);
    // A stranger too: of a worker of the owner's it would be known.
    const [honest] = await swarm.add('node', 'cpu', 1, true, 'join');
    await expect(swarm.train({ datasets: { train } }, 2)).rejects.toMatchObject({
      code: 'MEMBERS_DISAGREE',
      message: `Workers ${forger} and ${honest!.workerId} came to different trees and metrics of round 0, and nobody can tell who is right, 2 times`,
    });
  });
});
