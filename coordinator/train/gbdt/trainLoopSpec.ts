// The owner's loop as it travels to the workers: its text and its settings.

import { compileFunction } from 'node:vm';
import { MAX_TRAIN_LOOP_LENGTH, type TrainLoopSpec } from '../../../shared/gbdt/trainLoop.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** @throws TrainArgumentError when the function or its settings can't travel. */
export function trainLoopSpec(loop: (...args: never[]) => unknown, config: unknown): TrainLoopSpec {
  const source = String(loop);
  if (typeof loop !== 'function' || source.includes('[native code]')) {
    throw refused('trainLoopPerWorker', 'is not a function with source text');
  }
  if (source.length > MAX_TRAIN_LOOP_LENGTH) {
    throw refused(
      'trainLoopPerWorker',
      `has ${source.length} characters; expected at most ${MAX_TRAIN_LOOP_LENGTH}`,
    );
  }
  try {
    // A method's text ("async loop(config) {…}") is no expression.
    compileFunction(`return (${source}\n);`);
  } catch (cause) {
    throw refused(
      'trainLoopPerWorker',
      `can't travel as text (${String(cause)}); expected a function expression`,
    );
  }
  return { source, config: travelling(config) };
}

function travelling(config: unknown): unknown {
  const text = JSON.stringify(config ?? null) as string | undefined;
  if (text === undefined) throw refused('trainLoopConfig', 'is not plain JSON');
  return JSON.parse(text);
}

function refused(field: string, what: string): TrainArgumentError {
  return new TrainArgumentError(`${field} ${what}.`, { field });
}
