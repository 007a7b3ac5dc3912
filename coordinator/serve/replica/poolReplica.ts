// A replica on a worker of the pool: a tab, a Deno or a Node process. It may vanish at any time; the router then gives
// its calls to another.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { openProgram, type OpenOptions, type ProgramCluster } from '../../program/openProgram.ts';
import type { Program } from '../../program/program.ts';
import { ProgramCodeError, ProgramLostError } from '../../program/programErrors.ts';
import type { ProgramInstance } from '../../program/programInstance.ts';
import { OwnerCodeError, ReplicaLostError } from '../serveErrors.ts';
import type { Done, Replica, ReplicaOp } from './replica.ts';

/** A call of a replica as a call of the program on the worker. */
interface PoolCall {
  readonly method: string;
  readonly args: readonly unknown[];
  /** Makes the replica's answer of what the program gave. */
  answer(value: unknown): unknown;
}

/** What runs on the worker, and how calls become its calls. */
export interface PoolProgram {
  readonly program: Program;
  /** @throws ServeInputError, BadRequestError for what does not fit the model. */
  prepare(op: ReplicaOp, args: readonly unknown[]): PoolCall;
}

export class PoolReplica implements Replica {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly leaving: Promise<string>;
  readonly #calls = new Map<number, AbortController>();
  readonly #opening = new AbortController();
  #running: { readonly instance: ProgramInstance; readonly service: PoolProgram } | undefined;
  #waiting: string | undefined;
  #lastCall = 0;
  #killReason: string | undefined;
  #end: (how: string) => void = () => undefined;
  #leave: (reason: string) => void = () => undefined;

  constructor(
    id: string,
    cluster: ProgramCluster,
    service: Promise<PoolProgram>,
    demand: Pick<OpenOptions, 'runtime' | 'device'>,
  ) {
    this.id = id;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.leaving = new Promise((resolve) => (this.#leave = resolve));
    this.ready = this.#open(cluster, service, demand);
    this.ready.catch((error: unknown) => this.#end(messageOf(error)));
  }

  /** Why it is not ready. */
  get waitsFor(): string | undefined {
    return this.#running ? undefined : this.#waiting;
  }

  call(op: ReplicaOp, args: readonly unknown[], done: Done): number {
    const call = ++this.#lastCall;
    const controller = new AbortController();
    this.#calls.set(call, controller);
    void this.#answer(call, op, args, controller.signal, done);
    return call;
  }

  cancel(call: number): void {
    this.#calls.get(call)?.abort();
  }

  async kill(reason: string): Promise<void> {
    this.#killReason ??= reason;
    this.#opening.abort();
    await this.#running?.instance.close(reason);
    if (!this.#running) this.#end(reason);
    await this.ended;
  }

  async #open(
    cluster: ProgramCluster,
    coming: Promise<PoolProgram>,
    demand: Pick<OpenOptions, 'runtime' | 'device'>,
  ): Promise<void> {
    const service = await coming;
    const instance = await openProgram(cluster, service.program, {
      ...demand,
      signal: this.#opening.signal,
      onWaiting: (reason) => (this.#waiting = reason),
    });
    this.#running = { instance, service };
    void instance.leaving.then(this.#leave);
    void instance.ended.then((how) => this.#end(this.#killReason ?? how));
    if (this.#killReason !== undefined) await instance.close(this.#killReason);
  }

  async #answer(
    call: number,
    op: ReplicaOp,
    args: readonly unknown[],
    signal: AbortSignal,
    done: Done,
  ): Promise<void> {
    let error: unknown;
    let value: unknown;
    try {
      value = await this.#run(op, args, signal);
    } catch (failure) {
      error = this.#explained(failure);
    }
    this.#calls.delete(call);
    done(error, value);
  }

  async #run(op: ReplicaOp, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    if (!this.#running) throw new ReplicaLostError(`Replica ${this.id} is not open.`);
    const { instance, service } = this.#running;
    const call = service.prepare(op, args);
    return call.answer(await instance.call(call.method, call.args, { signal }));
  }

  #explained(error: unknown): unknown {
    if (error instanceof ProgramLostError) {
      return new ReplicaLostError(`Replica ${this.id} ended: ${error.message}`, error.place);
    }
    if (!(error instanceof ProgramCodeError)) return error;
    const cause = Object.assign(new Error(error.message), {
      stack: `${error.message}\n${error.ownerStack ?? ''}`,
    });
    return new OwnerCodeError(`Replica ${this.id} threw: ${error.message}`, { cause });
  }
}
