// A net that only tfjs knows, in a thread of its own beside the owner's script: predictions of batches are asked for here.

import { Worker } from 'node:worker_threads';
import { NeuralModelError } from '../../../shared/neural/graph/modelErrors.ts';
import type { BareNet, NetOpeners } from '../../../shared/neural/predict/openNet.ts';
import type { NetRows, PredictedRows } from '../../../shared/serve/layersNet.ts';
import { ANSWER_TIMEOUT_MS, TfjsUnavailableError, tfjsProgram } from './askTfjs.ts';
import type { TfjsNetData, TfjsNetReply } from './tfjsMessages.ts';

/** @throws NeuralModelError when tfjs can not load the model, TfjsUnavailableError. */
export const openTfjsThread: NetOpeners['openTfjs'] = (files, device) =>
  openThread(tfjsProgram(), { kind: 'net', files, device }, ANSWER_TIMEOUT_MS);

/** @param timeoutMs for the first answer: tfjs is loaded, and the model is built. */
export async function openThread(program: string, data: TfjsNetData, timeoutMs: number): Promise<BareNet> {
  const thread = new Worker(program, { workerData: data, argv: [], execArgv: [] });
  /** How it ended, from then on. */
  let ended: string | undefined;
  let fail: (error: Error) => void = () => undefined;
  const end = (how: string): void => {
    ended ??= how;
    fail(new TfjsUnavailableError(`The thread in which tfjs predicts ${ended}.`));
  };
  thread.on('error', ({ message }: Error) => end(`threw: ${message}`));
  thread.on('exit', (code) => end(`ended (exit code ${code})`));
  const reply = (): Promise<TfjsNetReply> =>
    new Promise<TfjsNetReply>((resolve, reject) => {
      fail = reject;
      if (ended !== undefined) end(ended);
      thread.once('message', resolve);
      // The process need not wait for a thread that has nothing to do.
      thread.ref();
    }).finally(() => thread.unref());
  const timer = setTimeout(() => end(`did not open the model within ${timeoutMs} ms`), timeoutMs);
  let first: TfjsNetReply | undefined;
  try {
    first = await reply();
  } finally {
    clearTimeout(timer);
    if (first?.type !== 'facts') await thread.terminate();
  }
  if (first.type !== 'facts') {
    throw new NeuralModelError(first.type === 'failed' ? first.message : 'tfjs did not open the model');
  }
  let last: Promise<unknown> = Promise.resolve();
  const predict = async (rows: NetRows): Promise<readonly PredictedRows[]> => {
    const answer = reply();
    thread.postMessage(rows);
    const predicted = await answer;
    if (predicted.type === 'predicted') return predicted.predicted;
    throw new NeuralModelError(
      `tfjs can not predict: ${predicted.type === 'failed' ? predicted.message : 'it did not answer'}`,
    );
  };
  return {
    facts: first.facts,
    predict: (rows) => {
      // One after another: an answer belongs to the rows before it.
      const next = last.then(() => predict(rows));
      last = next.catch(() => undefined);
      return next;
    },
    async close() {
      await last;
      await thread.terminate();
    },
  };
}
