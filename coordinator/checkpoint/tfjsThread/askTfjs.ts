// Asks the tfjs that tabgrad carries, in a thread of its own. An owner's script may have loaded a tfjs too, and two in one
// thread share their engine and its current backend: each would change what the other computes on.

import { Worker } from 'node:worker_threads';
import { TabgradError } from '../../../kernels/errors.ts';
import { NeuralModelError } from '../../../shared/neural/graph/modelErrors.ts';
import { builtFile } from '../../files/builtFile.ts';
import type { InspectedModel, TfjsAnswer, TfjsQuestion, TfjsReply } from './tfjsMessages.ts';

/** tfjs is loaded in half a second; the first weights of a large model take longer. */
export const ANSWER_TIMEOUT_MS = 120_000;
const THREAD_FILE = 'node/tfjsThread.js';

/** The thread is not built, ended without an answer, or did not answer in time. */
export class TfjsUnavailableError extends TabgradError {
  readonly code = 'TFJS_UNAVAILABLE';
}

/** Names that tfjs exports. @throws TfjsUnavailableError */
export async function tfjsNames(): Promise<readonly string[]> {
  return (await ask({ kind: 'names' })) as readonly string[];
}

/**
 * Shapes and first weights of a model that only tfjs can build.
 * @param weights numbers of all weights that it comes with: it may not ask for more.
 * @throws NeuralModelError when it can not, TfjsUnavailableError.
 */
export async function inspectWithTfjs(topology: object, weights?: number): Promise<InspectedModel> {
  return (await ask({ kind: 'inspect', topology, weights })) as InspectedModel;
}

/** The built program of the thread. @throws TfjsUnavailableError */
export function tfjsProgram(): string {
  const file = builtFile(THREAD_FILE);
  if (file !== undefined) return file;
  throw new TfjsUnavailableError(`dist/${THREAD_FILE} is not built; run "npm run build:js".`);
}

function ask(question: TfjsQuestion): Promise<TfjsAnswer> {
  const thread = new Worker(tfjsProgram(), { workerData: question, argv: [], execArgv: [] });
  return new Promise<TfjsAnswer>((resolve, reject) => {
    const fail = (how: string): void =>
      reject(new TfjsUnavailableError(`The thread in which tfjs is asked ${how}.`));
    const timer = setTimeout(() => fail(`did not answer within ${ANSWER_TIMEOUT_MS} ms`), ANSWER_TIMEOUT_MS);
    thread.once('message', (reply: TfjsReply) => {
      if (reply.type === 'answer') resolve(reply.answer);
      else reject(new NeuralModelError(`tfjs can not build the model: ${reply.message}`));
    });
    thread.once('error', ({ message }: Error) => fail(`threw: ${message}`));
    thread.once('exit', (code) => {
      clearTimeout(timer);
      fail(`ended without an answer (exit code ${code})`);
    });
  }).finally(() => void thread.terminate());
}
