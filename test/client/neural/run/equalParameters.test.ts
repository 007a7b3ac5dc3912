import { describe, expect, it } from 'vitest';
import { keepEqual } from '../../../../client/neural/run/equalParameters.ts';
import type { Collective } from '../../../../shared/collective/collective.ts';
import type { StateSection, TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';
import { memoryGroup } from '../../collective/memoryGroup.ts';

const signal = new AbortController().signal;

/** An engine with nothing but parameters. */
function holding(...parameters: number[]): TrainingEngine & { parameters: number[] } {
  const engine = {
    parameters,
    layout: { lengths: { parameters: parameters.length, statistics: 0, optimizer: 0 } },
    read: (section: StateSection) =>
      Promise.resolve(Float32Array.from(section === 'parameters' ? engine.parameters : [])),
    write: (_section: StateSection, values: Float32Array) => void (engine.parameters = [...values]),
  };
  return engine as unknown as TrainingEngine & { parameters: number[] };
}

/** The second member gets another number from the first than was sent. */
function misled(collective: Collective): Collective {
  const broadcast = collective.broadcast.bind(collective);
  collective.broadcast = async (...call) => {
    const sent = new Float32Array((await broadcast(...call)).slice().buffer);
    return new Uint8Array(sent.map((value) => value + 1).buffer);
  };
  return collective;
}

async function both(isStored: boolean, isMisled: boolean): Promise<number[][]> {
  const engines = [holding(1, 2), holding(1, 3)];
  await Promise.all(
    memoryGroup(2).collectives.map((collective, rank) =>
      keepEqual(
        engines[rank]!,
        { collective: isMisled && rank === 1 ? misled(collective) : collective, rank, signal },
        { isMixed: false, isCompared: true, isStored },
      ),
    ),
  );
  return engines.map(({ parameters }) => parameters);
}

describe('Parameters that differ', () => {
  it('become those of the first rank', async () => {
    for (const isStored of [false, true])
      expect(await both(isStored, false)).toEqual([
        [1, 2],
        [1, 2],
      ]);
  });

  it('are not taken where they are to be stored and have another hash than the first rank told all', async () => {
    await expect(both(true, true)).rejects.toMatchObject({
      code: 'PEER_MESSAGE_INVALID',
      peers: ['worker-0'],
    });
  });
});
