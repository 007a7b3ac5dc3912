// A served net on a worker of the pool. The rows of a batch travel in pieces, and what comes back is measured before it is
// believed: workers are other people's machines.

import {
  joinValues,
  layersFacts,
  sizeOf,
  type InputRows,
  type LayersFacts,
  type LayersNet,
  type NetRows,
  type PredictedRows,
  type TensorOutput,
} from '../../../shared/serve/layersNet.ts';
import type { ProgramInstance } from '../../program/programInstance.ts';
import { WorkerAnswerError } from '../../program/workerAnswer.ts';

/** Far below what a frame takes, so that a large batch holds up no other for long. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** Every type of tensor here has elements of so many bytes, or fewer. */
const ELEMENT_BYTES = 4;

/** @throws WorkerAnswerError, ProgramLostError */
export async function openPooledNet(instance: Pick<ProgramInstance, 'call'>): Promise<LayersNet> {
  const told = layersFacts.safeParse(await instance.call('facts', []));
  if (!told.success) {
    const field = told.error.issues[0]?.path.join('.') ?? '';
    throw new WorkerAnswerError(`What the worker tells of its model can not be: ${field}.`, { field });
  }
  const facts = told.data;
  return {
    facts,
    async predict({ rows, inputs }) {
      const step = rowsAtATime(inputs, facts);
      const pieces: (readonly PredictedRows[])[] = [];
      for (let from = 0; from < rows; from += step) {
        const to = Math.min(rows, from + step);
        const piece = inputs.map(({ values, shape }) => {
          const size = sizeOf(shape);
          return { shape, values: values.subarray(from * size, to * size) };
        });
        pieces.push(await predictPiece(instance, facts, { rows: to - from, inputs: piece }));
      }
      return facts.outputs.map((_, output) => ({
        shape: pieces[0]![output]!.shape,
        values: joinValues(pieces.map((piece) => piece[output]!.values)),
      }));
    },
    async checkHealth() {
      await instance.call('checkHealth', []);
    },
  };
}

async function predictPiece(
  instance: Pick<ProgramInstance, 'call'>,
  { outputs }: LayersFacts,
  rows: NetRows,
): Promise<readonly PredictedRows[]> {
  const answer = await instance.call('predict', [rows]);
  if (Array.isArray(answer) && answer.length === outputs.length) {
    const predicted = answer as readonly unknown[];
    if (predicted.every((one, at) => fits(one, outputs[at]!, rows.rows)))
      return predicted as readonly PredictedRows[];
  }
  throw new WorkerAnswerError('The worker answers with what is no output of the model.');
}

/** The worker tells no sizes for what the model leaves open: those are taken for small. */
function rowsAtATime(inputs: readonly InputRows[], { outputs }: LayersFacts): number {
  const given = inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const taken = outputs.reduce((sum, { shape }) => sum + sizeOf(shape.map((n) => n ?? 1)), 0);
  return Math.max(1, Math.floor(PIECE_BYTES / (ELEMENT_BYTES * Math.max(given, taken))));
}

function fits(found: unknown, { dtype, shape: told }: TensorOutput, rows: number): boolean {
  const { values, shape } = (found ?? {}) as { readonly values?: unknown; readonly shape?: unknown };
  const Kind = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
  return (
    values instanceof Kind &&
    isShape(shape) &&
    shape.length === told.length &&
    told.every((size, axis) => size === null || size === shape[axis]) &&
    values.length === rows * sizeOf(shape) &&
    // Beside a size of 0 another may be anything.
    shape.every((size) => size <= values.length)
  );
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
