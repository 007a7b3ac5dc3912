// Neural nets: many quick steps and a large state that the members hold; the record has metrics now and then.

import { readNeuralSpec } from '../../../shared/neural/run/readNeuralSpec.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import { readConfusionMatrix } from '../../../shared/neural/run/confusionMatrix.ts';
import type { RunKind } from './runKind.ts';

/** The arrays of a state beside the parameters: two of the optimizer, one of the outer steps. */
const STATE_ARRAYS = 4;
/** For names and shapes, and for a profile. */
const UPLOAD_ALLOWANCE_BYTES = 16 * 1024 * 1024;

export const neuralRun: RunKind<NeuralSpec> = {
  readSpec: readNeuralSpec,
  totalRounds: (spec) => spec.steps,
  check({ steps, firstStep, globalBatchSize, microbatchSize }, refuse) {
    const positive = { steps, globalBatchSize, microbatchSize };
    for (const [field, value] of Object.entries(positive)) {
      if (!Number.isSafeInteger(value) || value < 1)
        refuse(`spec.${field}`, `must be a whole number from 1, not ${value}`);
    }
    if (!Number.isSafeInteger(firstStep) || firstStep < 0 || firstStep >= steps) {
      refuse('spec.firstStep', `must be a whole number from 0 and below steps (${steps}), not ${firstStep}`);
    }
  },
  recordsEveryRound: false,
  checksRounds: false,
  readPayload(_spec, payload) {
    const [matrix, ...others] = payload;
    if (matrix === undefined) return { sha256: '', sizeBytes: 0 };
    const isRead = others.length === 0 && readConfusionMatrix(matrix) !== undefined;
    return isRead
      ? { sha256: '', sizeBytes: JSON.stringify(matrix).length }
      : { error: 'it is no confusion matrix' };
  },
  storesAfterwards: true,
  isProfiled: ({ profile }) => profile === true,
  leasesShards: false,
  sharesRows: () => false,
  maxUploadBytes: ({ initialState }) => STATE_ARRAYS * initialState.sizeBytes + UPLOAD_ALLOWANCE_BYTES,
  firstState: ({ initialState }) => initialState.sha256,
  movesShards: () => false,
  usefulWorkers: ({ globalBatchSize, microbatchSize }) => Math.ceil(globalBatchSize / microbatchSize),
};
