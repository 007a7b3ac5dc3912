// The description of a served tree model, from its features.

import { modelOutputs, modelRounds } from '../../../shared/gbdt/model/model.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { modelFeatures, type ModelFeature } from '../../../shared/gbdt/model/modelFeatures.ts';
import { SmallRequests } from '../replica/smallRequests.ts';
import { outputNames, type TreeOptions } from '../replica/treeProgram.ts';
import type { ModelDescription, Schema } from './modelDescription.ts';

/** @throws ModelFormatError, ModelUnsupportedError */
export function describeTrees(modelText: string, options: TreeOptions): ModelDescription {
  const model = readModel(modelText);
  const outputs = modelOutputs(model);
  const features = modelFeatures(model);
  const outputName = options.outputColumn ?? 'predictions';
  return {
    platform: 'tabgrad_xgboost',
    summary: `${model.objective}, ${modelRounds(model)} rounds`,
    inputs: features.map(({ name, codes, hasNumberNames }) => ({
      name,
      datatype: codes && !hasNumberNames ? 'BYTES' : 'FP32',
      shape: [-1],
    })),
    outputs: [{ name: outputName, datatype: 'FP32', shape: outputs === 1 ? [-1] : [-1, outputs] }],
    row: Object.fromEntries(features.map((feature) => [feature.name, featureSchema(feature)])),
    predicted: Object.fromEntries(
      outputNames(outputs, options.outputColumn).map((column) => [column, { type: 'number' }]),
    ),
    small: new SmallRequests(modelText, options),
  };
}

function featureSchema({ codes, hasNumberNames, isCategorical }: ModelFeature): Schema {
  if (codes)
    return {
      type: [hasNumberNames ? 'number' : 'string', 'null'],
      description: `One of ${codes.size} categories; others count as missing`,
    };
  return isCategorical ? { type: ['integer', 'null'] } : { type: ['number', 'boolean', 'null'] };
}
