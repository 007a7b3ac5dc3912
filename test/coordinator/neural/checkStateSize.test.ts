import { expect, it } from 'vitest';
import { checkStateSize } from '../../../coordinator/neural/checkStateSize.ts';
import { encodeState } from '../../../shared/neural/state/namedState.ts';

const sgd = { name: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
const adam = { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const weights = new Map([
  ['dense/kernel', { shape: [512, 512], values: new Float32Array(512 * 512) }],
  ['dense/bias', { shape: [512], values: new Float32Array(512) }],
]);

it.each([
  ['sgd', sgd, false, [], ''],
  ['adam', adam, false, [weights, weights], 'with the 2 arrays of the optimizer '],
  ['adam with outer steps', adam, true, [weights, weights], 'with the 3 arrays of the optimizer '],
] as const)('tells what a state of %s takes, a little too much', (_, spec, hasVelocity, optimizer, words) => {
  const state = { step: 2 ** 40, weights, optimizer, ...(hasVelocity && { velocity: weights }) };
  const { length } = encodeState(state);
  expect(() => checkStateSize(weights, spec, hasVelocity, 1.01 * length)).not.toThrow();
  const check = () => checkStateSize(weights, spec, hasVelocity, length - 1);
  expect(check).toThrow(expect.objectContaining({ code: 'TRAIN_ARGUMENT', place: { field: 'model' } }));
  expect(check).toThrow(`model has 2 MiB of weights, and ${words}a state of `);
});
