// A replica on a worker of the pool: a tab, a Deno or a Node process. It may vanish at any time; the router then gives
// its calls to another.

import { AbortedError } from '../../../kernels/errors.ts';
import type { LayersFacts } from '../../../shared/serve/layersNet.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { openProgram, type OpenOptions } from '../../program/openProgram.ts';
import type { ProgramCluster } from '../../cluster/cluster.ts';
import type { Program } from '../../program/program.ts';
import { ProgramCodeError, ProgramLostError } from '../../program/programErrors.ts';
import type { ProgramInstance } from '../../program/programInstance.ts';
import { WorkerAnswerError } from '../../program/workerAnswer.ts';
import { OwnerCodeError, ReplicaLostError } from '../request/serveErrors.ts';
import type { Done, Replica, ReplicaOp, ReplicaProgram } from './replica.ts';

/** An instance of a program, and how its replica is ended when its worker is found to lie. */
interface PooledInstance extends Pick<ProgramInstance, 'call' | 'ended' | 'worker'> {
  end(reason: string): void;
}

/** What runs on the worker, and what makes calls of it from those of a replica. */
export interface PoolProgram {
  readonly program: Program;
  /** Called when it is open. What it gives throws ServeInputError and BadRequestError for what does not fit the model. */
  attach(instance: PooledInstance): ReplicaProgram | Promise<ReplicaProgram>;
}

/** Workers that may tell what can not be of the same program, before it counts as the program's fault. */
const MAX_ATTEMPTS = 3;

interface Call {
  readonly done: Done;
  readonly controller: AbortController;
}

/** Which worker, and how long it may take to open the program there. */
export interface OpenDemand extends Pick<OpenOptions, 'runtime' | 'device' | 'openTimeoutMs'> {
  /** Workers whose answers could not be, of all replicas of a deployment: they get no more. Added to here. */
  readonly excluded: Set<string>;
}

export class PoolReplica implements Replica {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  readonly leaving: Promise<string>;
  readonly #calls = new Map<number, Call>();
  readonly #opening = new AbortController();
  readonly #excluded: Set<string>;
  #instance: ProgramInstance | undefined;
  #program: ReplicaProgram | undefined;
  #waiting: string | undefined;
  #lastCall = 0;
  #killReason: string | undefined;
  #end: (how: string) => void = () => undefined;
  #leave: (reason: string) => void = () => undefined;

  /** @param onFacts is told what a tf.LayersModel takes and gives, before `ready` resolves. */
  constructor(
    id: string,
    cluster: ProgramCluster,
    service: Promise<PoolProgram>,
    demand: OpenDemand,
    onFacts: (facts: LayersFacts) => void = () => undefined,
  ) {
    this.id = id;
    this.#excluded = demand.excluded;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.leaving = new Promise((resolve) => (this.#leave = resolve));
    this.ready = this.#open(cluster, service, demand, onFacts);
    this.ready.catch((error: unknown) => void this.kill(messageOf(error)));
  }

  /** Why it is not ready. */
  get waitsFor(): string | undefined {
    return this.#instance ? undefined : this.#waiting;
  }

  get workerId(): string | undefined {
    return this.#instance?.worker.workerId;
  }

  call(op: ReplicaOp, args: readonly unknown[], done: Done): number {
    const call = ++this.#lastCall;
    const controller = new AbortController();
    this.#calls.set(call, { done, controller });
    void this.#answer(call, op, args, controller.signal);
    return call;
  }

  cancel(call: number): void {
    this.#calls.get(call)?.controller.abort();
  }

  async kill(reason: string): Promise<void> {
    this.#killReason ??= reason;
    this.#opening.abort();
    await this.#instance?.close(reason);
    if (!this.#instance) this.#end(reason);
    await this.ended;
  }

  async #open(
    cluster: ProgramCluster,
    coming: Promise<PoolProgram>,
    demand: OpenDemand,
    onFacts: (facts: LayersFacts) => void,
  ): Promise<void> {
    const service = await coming;
    for (let attempt = 1; !this.#program; attempt++) {
      const instance = await openProgram(cluster, service.program, {
        ...demand,
        signal: this.#opening.signal,
        onWaiting: (reason) => (this.#waiting = reason),
      });
      this.#take(instance);
      if (this.#killReason !== undefined) {
        await instance.close(this.#killReason);
        throw new AbortedError(`Replica ${this.id} was ended before it was ready: ${this.#killReason}.`);
      }
      try {
        this.#program = await service.attach({
          worker: instance.worker,
          ended: instance.ended,
          call: (...asked) => instance.call(...asked),
          end: (reason) => this.#endLiar(reason),
        });
      } catch (error) {
        if (!(error instanceof WorkerAnswerError) || attempt === MAX_ATTEMPTS) throw error;
        this.#exclude();
        this.#instance = undefined;
        await instance.close('what it tells of its model can not be');
      }
    }
    if (this.#program.facts) onFacts(this.#program.facts);
  }

  #take(instance: ProgramInstance): void {
    this.#instance = instance;
    void instance.leaving.then((reason) => {
      if (this.#instance === instance) this.#leave(reason);
    });
    void instance.ended.then((how) => {
      if (this.#instance === instance) this.#lose(this.#killReason ?? how);
    });
  }

  /** Also calls that wait here, to be computed together with others, have lost their replica. */
  #lose(how: string): void {
    const lost = new ReplicaLostError(`Replica ${this.id} ended: ${how}.`);
    for (const call of this.#calls.keys()) this.#settle(call, lost, undefined);
    this.#end(how);
  }

  async #answer(call: number, op: ReplicaOp, args: readonly unknown[], signal: AbortSignal): Promise<void> {
    let error: unknown;
    let value: unknown;
    try {
      value = await this.#run(op, args, signal);
    } catch (failure) {
      error = this.#explained(failure);
    }
    this.#settle(call, error, value);
  }

  #endLiar(reason: string): void {
    this.#exclude();
    void this.kill(reason);
  }

  #exclude(): void {
    if (this.#instance) this.#excluded.add(this.#instance.worker.workerId);
  }

  #settle(call: number, error: unknown, value: unknown): void {
    const found = this.#calls.get(call);
    this.#calls.delete(call);
    found?.done(error, value);
  }

  async #run(op: ReplicaOp, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    if (!this.#program) throw new ReplicaLostError(`Replica ${this.id} is not open.`);
    return this.#program.run(op, args, signal);
  }

  #explained(error: unknown): unknown {
    if (error instanceof WorkerAnswerError) {
      // Its other calls are made again elsewhere too.
      this.#exclude();
      void this.kill(`its answer can not be: ${error.message}`);
      return new ReplicaLostError(`Replica ${this.id} gave an answer that can not be: ${error.message}`);
    }
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
