// How columns became a net's inputs, kept beside the model in a checkpoint so that predictions do the same.

import { z } from 'zod';
import { NeuralModelError } from '../graph/modelErrors.ts';

export const INPUTS_FILE = 'inputs.json';

export interface NetInput {
  readonly name: string;
  /** Undefined where the net was trained on tensors. */
  readonly columns?: readonly string[] | undefined;
  readonly scale: number;
  readonly offset: number;
}

export const netInputs = z.looseObject({
  inputs: z
    .array(
      z.looseObject({
        name: z.string().max(1_000),
        columns: z.array(z.string().max(10_000)).max(100_000).optional(),
        scale: z.number(),
        offset: z.number(),
      }),
    )
    .max(64),
});

export function writeNetInputs(inputs: readonly NetInput[]): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ inputs }, null, 2)}\n`);
}

/** @param file for messages. @throws NeuralModelError */
export function readNetInputs(text: string, file: string): readonly NetInput[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = netInputs.safeParse(value);
  if (parsed.success) return parsed.data.inputs;
  throw new NeuralModelError(`${file} is damaged: ${parsed.error.issues[0]?.path.join('.')}`, { file });
}
