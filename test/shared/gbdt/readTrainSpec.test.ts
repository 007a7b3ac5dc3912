import { describe, expect, it } from 'vitest';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { readTrainSpec } from '../../../shared/gbdt/readTrainSpec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';

const cuts = (count: number, categorical = false) => ({
  categorical,
  cuts: Float32Array.from({ length: count }, (_, bin) => bin + 0.5),
});

const built: TrainSpec = {
  ...buildTrainSpec({
    params: resolveParams({ objective: 'multi:softprob', num_class: 3, eta: 0.1, subsample: 0.5, seed: 7 }),
    numBoostRound: 4,
    features: [
      { name: 'a', cuts: cuts(255) },
      { name: 'b', cuts: cuts(3, true) },
    ] as never,
    target: { maxAbsLabel: 2, maxWeight: 1 },
    trainRows: 1000,
    evaluationSets: ['train', 'valid'],
  }),
  firstRound: 5,
  trainLoop: { source: '() => {}', config: { rates: [0.3, null] } },
};

const written = (): Record<string, never> => JSON.parse(JSON.stringify(built)) as Record<string, never>;

describe('readTrainSpec', () => {
  it('gives back what was written as JSON, the optional fields too', () => {
    expect(readTrainSpec(written())).toEqual(built);
    const { firstRound: _, trainLoop: __, ...plain } = built;
    expect(readTrainSpec(JSON.parse(JSON.stringify(plain)))).toEqual(plain);
  });

  it.each([
    ['features', { features: [] }],
    ['features.0.bins', { features: [{ name: 'a', bins: 256, categorical: false, monotone: 0 }] }],
    ['device', { device: null }],
    ['device.slotsPerFeature', { device: { ...built.device, slotsPerFeature: [256] } }],
    ['device.outputs', { device: { ...built.device, outputs: 1e9 } }],
    ['gradientUnit', { gradientUnit: -1 }],
    ['numBoostRound', { numBoostRound: 0 }],
    ['trainLoop.source', { trainLoop: { source: 'x'.repeat(300_000) } }],
    ['trainer', { trainer: 'net' }],
  ])('names the field %s where it is wrong', (field, change) => {
    const read = (): TrainSpec => readTrainSpec({ ...written(), ...change });
    expect(read).toThrow(expect.objectContaining({ code: 'TRAIN_SPEC_MALFORMED', place: { field } }));
  });

  it('refuses what is no object, and parameters that resolve to nothing', () => {
    for (const value of [null, 7, 'spec', []]) expect(() => readTrainSpec(value)).toThrow('train spec');
    expect(() => readTrainSpec({ ...written(), params: { max_dept: 3 } })).toThrow('did you mean max_depth?');
  });
});
