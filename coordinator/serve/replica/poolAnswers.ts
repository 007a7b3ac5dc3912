// What replicas on workers of the pool may put into callers' answers.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { WorkerAnswerError } from '../../program/workerAnswer.ts';
import type { WireAnswer } from './ownerHttp.ts';
import type { StreamedAnswer } from '../stream/streamedAnswer.ts';

/** Headers that a class on a worker may set: about the body, how long it is good for, and when to come again. */
const passingHeaders: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'retry-after',
];
const LONGEST_HEADER = 1_000;
/** As much as a frame has; JSON of typed arrays may be longer than they are. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** @throws WorkerAnswerError when it is no array of a finite number for each row and output. */
export function checkPredictions(predicted: unknown, rows: number, outputs: number): Float32Array {
  if (!(predicted instanceof Float32Array) || predicted.length !== rows * outputs) {
    const found = predicted instanceof Float32Array ? `${predicted.length} numbers` : typeof predicted;
    throw new WorkerAnswerError(
      `The worker answers with ${found}; expected ${rows * outputs} predictions for ${rows} rows.`,
    );
  }
  const wrong = predicted.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return predicted;
  const row = Math.floor(wrong / outputs);
  throw new WorkerAnswerError(`The worker predicts ${predicted[wrong]} for row ${row}; expected a number.`, {
    row,
  });
}

/**
 * The answer of a class as it may go to a caller: other headers are left out, and a page can do nothing in the name of the
 * server.
 * @param answer makes it of what the worker said. @throws WorkerAnswerError
 */
export function checkAnswer(answer: () => WireAnswer | Promise<StreamedAnswer>): WireAnswer {
  let made: WireAnswer | Promise<StreamedAnswer>;
  try {
    made = answer();
  } catch (error) {
    throw new WorkerAnswerError(`The worker's answer can not be written: ${messageOf(error)}`);
  }
  if (made instanceof Promise) throw new WorkerAnswerError('The worker answers in pieces.');
  const { status, headers, body } = made;
  const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (sizeBytes > MAX_BODY_BYTES) {
    throw new WorkerAnswerError(
      `The worker answers with ${sizeBytes} bytes; expected at most ${MAX_BODY_BYTES}.`,
    );
  }
  return {
    status,
    headers: { ...passed(headers), 'content-security-policy': 'sandbox' },
    body,
  };
}

function passed(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of passingHeaders) {
    const value = headers[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value.length > LONGEST_HEADER || !/^[\t\x20-\x7e]*$/.test(value)) {
      throw new WorkerAnswerError(`The worker sets the header ${name} to what is no line of text.`);
    }
    kept[name] = value;
  }
  return kept;
}
