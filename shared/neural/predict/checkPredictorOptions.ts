// The options of a net's predictor, refused by name where they are none: a misspelled one would be left out in silence.

import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import { sentence } from '../../text/sentence.ts';
import { unknownKey } from '../../text/nearestWord.ts';

export interface NetPredictorOptions {
  /** Columns of the model's input, or of each by its name. Default: as it was trained, else all, or those named like the inputs. */
  readonly featureColumns?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Columns of the batch to hand through beside the predictions: some, all (true) or none (default). */
  readonly keepColumns?: boolean | readonly string[];
  /** Default "predictions". */
  readonly outputColumn?: string;
  /** Default "cpu". "webgpu" takes the first adapter of wherever this runs, and fails where there is none. */
  readonly device?: DeviceKind;
}

class NetOptionError extends TabgradError {
  readonly code = 'PREDICT_ARGUMENT';
}

const known = [
  'device',
  'featureColumns',
  'keepColumns',
  'outputColumn',
] as const satisfies readonly (keyof NetPredictorOptions)[];

const isNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** @param inputs names of the model's inputs. @throws NetOptionError naming the option. */
export function checkPredictorOptions(options: NetPredictorOptions, inputs: readonly string[]): void {
  const fail = (field: string, problem: string): never => {
    throw new NetOptionError(sentence(`${field} ${problem}`), { field });
  };
  if (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options))
    fail('options', 'are no object');
  const unknown = unknownKey(options, known);
  if (unknown) fail(unknown.key, unknown.problem);
  const { device = 'cpu', featureColumns, keepColumns = false, outputColumn = 'predictions' } = options;
  if (device !== 'cpu' && device !== 'webgpu') fail('device', `is ${told(device)}; expected cpu or webgpu`);
  if (typeof keepColumns !== 'boolean' && !isNames(keepColumns))
    fail('keepColumns', `is ${told(keepColumns)}; expected true, false or a list of names`);
  if (typeof outputColumn !== 'string' || outputColumn === '')
    fail('outputColumn', `is ${told(outputColumn)}; expected a name`);
  if (featureColumns === undefined || isNames(featureColumns)) return;
  if (
    typeof featureColumns !== 'object' ||
    (featureColumns as unknown) === null ||
    Array.isArray(featureColumns)
  )
    fail('featureColumns', `is ${told(featureColumns)}; expected a list of names, or one for each input`);
  const other = unknownKey(featureColumns, inputs);
  if (other)
    fail(`featureColumns.${other.key}`, `is no input of the model, which takes ${inputs.join(', ')}`);
  for (const [input, names] of Object.entries(featureColumns))
    if (!isNames(names)) fail(`featureColumns.${input}`, `is ${told(names)}; expected a list of names`);
}

function told(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? String(value);
}
