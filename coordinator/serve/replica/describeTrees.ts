// The description of a served tree model, from its features.

import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { modelFeatures, type ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { SmallRequests } from './smallRequests.ts';
import { answerColumns } from './answerColumns.ts';
import type { ModelDescription, Schema } from './modelDescription.ts';
import type { TreeOptions } from './predictorOptions.ts';

/** Categories that are named for callers. */
const MAX_EXAMPLES = 50;

/** @throws ModelFormatError, ModelUnsupportedError, ServeArgumentError */
export function describeTrees(modelText: string, options: TreeOptions): ModelDescription {
  const model = readModel(modelText);
  const features = modelFeatures(model);
  const answer = answerColumns(model, options);
  return {
    platform: 'tabgrad_xgboost',
    summary: `${model.objective}, ${modelRounds(model)} rounds`,
    inputs: features.map(({ name, codes, hasNumberNames }) => ({
      name,
      datatype: codes && !hasNumberNames ? 'BYTES' : 'FP32',
      shape: [-1],
    })),
    outputs: answer
      .tensors(new Float32Array(0), 0)
      .map(({ name, datatype, shape }) => ({ name, datatype, shape: [-1, ...shape.slice(1)] })),
    row: Object.fromEntries(features.map((feature) => [feature.name, featureSchema(feature)])),
    predicted: Object.fromEntries(
      answer.names.map((name) => [name, { type: name === 'label' ? 'integer' : 'number' }]),
    ),
    trees: { modelText, options },
    small: SmallRequests.of(modelText, options),
  };
}

function featureSchema({ codes, hasNumberNames, isCategorical }: ModelFeature): Schema {
  if (codes)
    return {
      type: [hasNumberNames ? 'number' : 'string', 'null'],
      description: `One of ${codes.size} categories; others count as missing`,
      examples: [...codes.keys()].slice(0, MAX_EXAMPLES),
    };
  return isCategorical ? { type: ['integer', 'null'] } : { type: ['number', 'boolean', 'null'] };
}
