// A replica in a thread of its own, seen from the server's thread.

import { Worker } from 'node:worker_threads';
import type { HandleCaller } from './handle.ts';
import type { LayersFacts } from '../../../shared/serve/layersNet.ts';
import { builtFile } from '../../files/builtFile.ts';
import { ReplicaLostError, UnavailableError } from '../request/serveErrors.ts';
import { AnswerStream } from '../stream/answerStream.ts';
import { ThreadStreams } from './threadStreams.ts';
import type { Done, Replica, ReplicaOp } from './replica.ts';
import {
  fromPlainError,
  toPlainError,
  type CallItem,
  type FromReplica,
  type ReplyItem,
  type ThreadProgram,
  type ToReplica,
} from './replicaMessages.ts';

/** The built program of a replica's thread. */
function replicaProgram(): string {
  const found = builtFile('node/serveReplica.js');
  if (found !== undefined) return found;
  throw new UnavailableError('The program of replicas is not built; run "npm run build:js" first.');
}

/** For what is on the GPU to come back. */
const END_TIMEOUT_MS = 5_000;

export class ThreadReplica implements Replica {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly #thread: Worker;
  readonly #usesDawn: boolean;
  readonly #callDeployment: HandleCaller;
  readonly #pending = new Map<number, Done>();
  readonly #streams = new ThreadStreams((message) => this.#tell(message));
  /** Calls of one turn of the event loop travel together: waking a thread costs more than a small prediction. */
  #outbox: CallItem[] = [];
  #lastCall = 0;
  #killReason: string | undefined;
  #hasEnded = false;

  /** @param onFacts is told what a tf.LayersModel takes and gives, before `ready` resolves. */
  constructor(
    id: string,
    program: ThreadProgram,
    callDeployment: HandleCaller,
    onFacts: (facts: LayersFacts) => void = () => undefined,
  ) {
    this.id = id;
    this.#callDeployment = callDeployment;
    this.#usesDawn = program.kind === 'layers' && program.options.device === 'webgpu';
    // The owner's class writes to the terminal as if it ran here; arguments of this process are not its business.
    this.#thread = new Worker(replicaProgram(), { workerData: program, name: id, argv: [], execArgv: [] });
    this.ready = new Promise((resolve, reject) => {
      this.#thread.on('message', (message: FromReplica) => {
        if (message.type === 'ready') {
          if (message.facts) onFacts(message.facts);
          resolve();
        } else if (message.type === 'failed') reject(fromPlainError(message.error));
        else this.#receive(message);
      });
      this.#thread.once('exit', () =>
        reject(new ReplicaLostError(`Replica ${id} ended before it was ready.`)),
      );
    });
    this.ready.catch(() => undefined);
    this.ended = new Promise((resolve) => {
      let failure: string | undefined;
      this.#thread.on('error', (error: Error) => (failure = error.message));
      this.#thread.once('exit', (code) => {
        const how = this.#killReason ?? failure ?? `exit code ${code}`;
        this.#hasEnded = true;
        const lost = new ReplicaLostError(`Replica ${id} ended: ${how}.`);
        for (const done of this.#pending.values()) done(lost, undefined);
        this.#streams.close(lost);
        this.#pending.clear();
        this.#outbox = [];
        resolve(how);
      });
    });
  }

  call(op: ReplicaOp, args: readonly unknown[], done: Done): number {
    const call = ++this.#lastCall;
    if (this.#hasEnded) {
      queueMicrotask(() => done(new ReplicaLostError(`Replica ${this.id} has ended.`), undefined));
      return call;
    }
    this.#pending.set(call, done);
    if (this.#outbox.push([call, op, args]) === 1) setImmediate(() => this.#flush());
    return call;
  }

  cancel(call: number): void {
    if (this.#pending.has(call)) this.#tell({ type: 'cancel', call });
  }

  async kill(reason: string): Promise<void> {
    this.#killReason ??= reason;
    if (this.#usesDawn) this.#endGently();
    else await this.#thread.terminate();
    await this.ended;
  }

  /** Dawn aborts the whole process when a thread ends that waits for it ("Promise not resolved or rejected"). */
  #endGently(): void {
    const timer = setTimeout(() => void this.#thread.terminate(), END_TIMEOUT_MS);
    void this.ended.then(() => clearTimeout(timer));
    this.#tell({ type: 'end' });
  }

  #flush(): void {
    const items = this.#outbox;
    this.#outbox = [];
    if (items.length === 0) return;
    try {
      this.#tell({ type: 'calls', items });
    } catch {
      // One of them has an argument that can not be copied between threads: the others shall not suffer.
      for (const item of items) this.#sendAlone(item);
    }
  }

  #sendAlone(item: CallItem): void {
    try {
      this.#tell({ type: 'calls', items: [item] });
    } catch (error) {
      this.#settle([item[0], toPlainError(error), undefined]);
    }
  }

  #tell(message: ToReplica): void {
    this.#thread.postMessage(message);
  }

  #receive(message: Exclude<FromReplica, { type: 'ready' | 'failed' }>): void {
    if (message.type === 'replies') {
      for (const item of message.items) this.#settle(item);
      return;
    }
    if (message.type !== 'handleCall') {
      this.#streams.receive(message, (call, stream) => {
        const done = this.#pending.get(call);
        this.#pending.delete(call);
        done?.(undefined, stream);
      });
      return;
    }
    const { call, deployment, method, args } = message;
    const answer = (reply: ReplyItem): void => {
      try {
        this.#tell({ type: 'handleReply', reply });
      } catch (error) {
        this.#tell({ type: 'handleReply', reply: [call, toPlainError(error), undefined] });
      }
    };
    this.#callDeployment(deployment, method, args).then(
      (value) => {
        if (!(value instanceof AnswerStream)) answer([call, undefined, value]);
        else if (this.#hasEnded) void value.return();
        else void this.#streams.send(call, { head: undefined, pieces: value });
      },
      (error: unknown) => answer([call, toPlainError(error), undefined]),
    );
  }

  #settle([call, error, value]: ReplyItem): void {
    const done = this.#pending.get(call);
    this.#pending.delete(call);
    done?.(error && fromPlainError(error), value);
  }
}
