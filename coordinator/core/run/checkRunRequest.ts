// Refuses runs that can't be: before anything is started, naming the field.

import { runKindOf, trainerNames } from './runKinds.ts';
import { TRAIN_DATASET } from './leasePlan.ts';
import { MAX_DATASETS } from '../../../shared/api/datasetAnswers.ts';
import { RunRequestInvalidError } from './runErrors.ts';
import type { RunRequest } from './runRequest.ts';

/** @throws RunRequestInvalidError */
export function checkRunRequest({
  runId,
  spec,
  shards,
  datasets = [],
  workers,
  maxFailures,
}: RunRequest): void {
  const refuse = (field: string, wrong: string): never => {
    throw new RunRequestInvalidError(`${field} ${wrong}`, { field });
  };
  if (!/^[\w.-]{1,128}$/.test(runId)) {
    refuse(
      'runId',
      `must be 1 to 128 letters, digits, dots, dashes or underscores, not "${runId.slice(0, 128)}"`,
    );
  }
  if (!trainerNames.includes(spec.trainer)) {
    refuse('spec.trainer', `must be one of ${trainerNames.join(', ')}, not ${spec.trainer}`);
  }
  runKindOf(spec).check(spec, refuse);
  if (!isCount(workers.min) || workers.min < 1)
    refuse('workers.min', `must be a whole number from 1, not ${workers.min}`);
  if (!isCount(workers.max) || workers.max < workers.min) {
    refuse('workers.max', `must be a whole number from workers.min (${workers.min}), not ${workers.max}`);
  }
  if (!isCount(maxFailures) && maxFailures !== -1) {
    refuse('maxFailures', `must be -1 (any number) or a whole number from 0, not ${maxFailures}`);
  }
  const places = new Set(shards.map((shard) => `${shard.dataset}/${shard.index}`));
  if (places.size < shards.length) refuse('shards', 'name the same dataset and index twice');
  const names = new Set(shards.map(({ dataset }) => dataset));
  if (names.size > MAX_DATASETS) refuse('shards', `name ${names.size} datasets, more than ${MAX_DATASETS}`);
  for (const [i, { name }] of datasets.entries()) {
    // Every name once.
    if (!names.delete(name))
      refuse(`datasets.${i}.name`, `"${name}" must be a dataset of the shards, described once`);
  }
  if (!shards.some((shard) => shard.dataset === TRAIN_DATASET && shard.rows > 0)) {
    refuse('shards', `hold no rows of the dataset "${TRAIN_DATASET}"`);
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
