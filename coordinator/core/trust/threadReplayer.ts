// Has the rounds of one run done once more in a thread, so that the coordinator answers meanwhile.

import { Worker } from 'node:worker_threads';
import { TabgradError } from '../../../kernels/errors.ts';
import type { ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { builtFile } from '../../files/builtFile.ts';
import type { ReplayAnswer, ReplayAsk, ReplayRequest } from './replayMessages.ts';
import type { EncodedTask, Replayer } from './treeAuditor.ts';

/** Rounds could not be done once more: the run does not go on unchecked. */
class CheckFailedError extends TabgradError {
  readonly code = 'CHECK_FAILED';
}

interface Waiting {
  resolve(answer: { readonly rounds?: readonly ReplayedRound[] }): void;
  reject(error: Error): void;
}

export class ThreadReplayer implements Replayer {
  readonly #thread: Worker;
  readonly #shards = new Set<string>();
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #failure: Error | undefined;

  constructor(spec: TrainSpec) {
    const program = builtFile('node/replay.js');
    if (program === undefined)
      throw new CheckFailedError(
        'The program that checks rounds is not built; run "npm run build:js" first.',
      );
    this.#thread = new Worker(program, { workerData: spec, argv: [], execArgv: [] });
    this.#thread.on('message', (answer: ReplayAnswer) => this.#take(answer));
    this.#thread.on('error', (error: Error) => this.#fail(error.message));
    this.#thread.once('exit', (code) => this.#fail(`it ended with code ${code}`));
    // A run that waits for nothing else must not keep the process.
    this.#thread.unref();
  }

  has(shard: string): boolean {
    return this.#shards.has(shard);
  }

  async add(shard: string, bytes: Uint8Array): Promise<void> {
    const own = bytes.slice();
    await this.#ask({ op: 'add', shard, bytes: own }, [own.buffer]);
    this.#shards.add(shard);
  }

  async follow(rounds: readonly (readonly unknown[])[]): Promise<void> {
    await this.#ask({ op: 'follow', rounds });
  }

  async restore(): Promise<void> {
    await this.#ask({ op: 'restore' });
  }

  async check(task: EncodedTask): Promise<ReplayedRound[]> {
    const { rounds = [] } = await this.#ask({ op: 'check', task });
    return [...rounds];
  }

  async close(): Promise<void> {
    this.#failure ??= new CheckFailedError('The run is over.');
    await this.#thread.terminate();
  }

  #ask(
    request: ReplayRequest,
    transfer: ArrayBuffer[] = [],
  ): Promise<{ readonly rounds?: readonly ReplayedRound[] }> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#lastId += 1;
    const ask: ReplayAsk = { id: this.#lastId, request };
    return new Promise((resolve, reject) => {
      this.#waiting.set(ask.id, { resolve, reject });
      this.#thread.postMessage(ask, transfer);
    });
  }

  #take(answer: ReplayAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer)
      waiting?.reject(new CheckFailedError(`Rounds could not be checked: ${answer.error}`));
    else waiting?.resolve(answer);
  }

  #fail(reason: string): void {
    this.#failure ??= new CheckFailedError(`The thread that checks rounds is gone: ${reason}.`);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}
