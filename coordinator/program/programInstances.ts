// Keeps some instances of a program open and gives calls to them: a call whose worker vanishes is made again on another,
// a worker that leaves finishes what it has, more instances are opened when calls wait, up to the most.

import { setMaxListeners } from 'node:events';
import { AbortedError, DeadlineError } from '../../kernels/errors.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';
import { openProgram, type OpenOptions } from './openProgram.ts';
import type { Program } from './program.ts';
import { ProgramLostError } from './programErrors.ts';
import type { ProgramInstance } from './programInstance.ts';
import type { PlacedWorker } from '../core/programs/programPipe.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { WorkerAnswerError } from './workerAnswer.ts';

export interface InstancesOptions extends Pick<OpenOptions, 'runtime' | 'device'> {
  readonly min: number;
  readonly max: number;
  /** For one call, from being sent. */
  readonly deadlineMs: number;
  /** What an instance is told before it is ended in peace, and how long that may take. */
  readonly closing?: { readonly method: string; readonly deadlineMs: number } | undefined;
  readonly onStatus?: ((status: InstancesStatus) => void) | undefined;
}

export interface InstancesStatus {
  /** Workers that have the program open. */
  readonly workers: readonly PlacedWorker[];
  /** Why there are no more, where some are waited for. */
  readonly waiting: string | undefined;
}

interface AnotherOptions {
  readonly not: readonly string[];
  readonly random: () => number;
  readonly waitMs?: number | undefined;
}

/** Calls in hand of one instance: while one is computed, the next is on its way. */
const CALLS_EACH = 2;
/** Workers that may be lost with a call in hand, before the call counts as what ends them. */
const MAX_LOST = 3;

export class ProgramInstances {
  readonly #pool: Pick<Cluster, 'blobs' | 'lost' | 'slots'>;
  readonly #program: Program;
  readonly #options: InstancesOptions;
  readonly #over = new AbortController();
  readonly #instances = new Set<ProgramInstance>();
  readonly #leaving = new Set<ProgramInstance>();
  readonly #partings = new WeakMap<ProgramInstance, Promise<void>>();
  readonly #callers: Deferred<ProgramInstance>[] = [];
  /** Workers that vanished with a call. */
  readonly #avoided = new Set<string>();
  /** Workers whose answers could not be. */
  readonly #excluded = new Set<string>();
  #opening = 0;
  #waiting: string | undefined;
  #failure: Error | undefined;
  /** The first error of a closing call. */
  #farewellFailure: Error | undefined;

  constructor(pool: Pick<Cluster, 'blobs' | 'lost' | 'slots'>, program: Program, options: InstancesOptions) {
    this.#pool = pool;
    this.#program = program;
    this.#options = options;
    // As many may wait for a worker as there are to be instances: no leak, which Node would warn of.
    setMaxListeners(0, this.#over.signal);
    pool.lost.catch((error: Error) => this.#fail(error));
    for (let i = 0; i < options.min; i++) void this.#open();
  }

  /** Calls that are worth having at the same time. */
  static callsOf({ max }: Pick<InstancesOptions, 'max'>): number {
    return max * CALLS_EACH;
  }

  /**
   * @param read makes what is wanted of an answer; where it throws a WorkerAnswerError, another worker is asked.
   * @returns the answer, and who gave it.
   * @throws what the program threw; DeadlineError naming the worker; ProgramLostError when several workers were lost with
   *   this call; what opening the program threw.
   */
  async call<T>(
    method: string,
    args: readonly unknown[],
    read: (answer: unknown) => T,
  ): Promise<{ value: T; worker: PlacedWorker }> {
    for (let lost = 1; ; lost++) {
      const instance = await this.#free();
      try {
        const answer = await instance.call(method, args, { deadlineMs: this.#options.deadlineMs });
        return { value: read(answer), worker: instance.worker };
      } catch (error) {
        // Its code may be in an endless loop: only the end of its thread ends that.
        if (error instanceof DeadlineError) void instance.close('it did not answer in time');
        const isNonsense = error instanceof WorkerAnswerError;
        if (!(isNonsense || error instanceof ProgramLostError) || this.#over.signal.aborted) throw error;
        (isNonsense ? this.#excluded : this.#avoided).add(instance.worker.workerId);
        if (isNonsense) void instance.close('its answer can not be');
        if (lost >= MAX_LOST) {
          throw new ProgramLostError(
            `${this.#program.name} lost ${MAX_LOST} workers in a row with the same call; the last: ${error.message}`,
            error.place,
          );
        }
      } finally {
        this.#serve();
        this.#dismiss(instance);
      }
    }
  }

  /**
   * The same of an instance on another worker: an owner's where there is one, else one of the strangers', whom none of them
   * can foresee.
   * @param not ids of workers. @param random from 0 to below 1. @param waitMs after which it counts as not answering.
   * @returns undefined where no other has the program open, or the one that was asked does not answer.
   */
  async callAnother<T>(
    method: string,
    args: readonly unknown[],
    read: (answer: unknown) => T,
    { not, random, waitMs = this.#options.deadlineMs }: AnotherOptions,
  ): Promise<{ value: T; worker: PlacedWorker } | undefined> {
    const others = [...this.#instances].filter(
      (one) => !this.#leaving.has(one) && !not.includes(one.worker.workerId),
    );
    const owners = others.filter(({ worker }) => worker.isOwners);
    const among = owners.length > 0 ? owners : others;
    const instance = among[Math.floor(random() * among.length)];
    if (!instance) return undefined;
    const deadlineMs = Math.min(waitMs, this.#options.deadlineMs);
    try {
      const answer = await instance.call(method, args, { deadlineMs });
      return { value: read(answer), worker: instance.worker };
    } catch (error) {
      if (error instanceof DeadlineError && deadlineMs === this.#options.deadlineMs)
        void instance.close('it did not answer in time');
      if (error instanceof WorkerAnswerError) this.exclude(instance.worker.workerId, 'its answer can not be');
      return undefined;
    } finally {
      this.#serve();
      this.#dismiss(instance);
    }
  }

  /** Ends all instances on a worker, and opens none there any more. Calls in its hands go to others. */
  exclude(workerId: string, reason: string): void {
    this.#excluded.add(workerId);
    for (const instance of this.#instances)
      if (instance.worker.workerId === workerId) void instance.close(reason);
  }

  /**
   * Calls the closing method of all instances, and ends them. No calls are taken any more.
   * @throws the first error of a closing call, of this or of an instance whose worker had left before; DeadlineError. A lost worker is
   *   none of its failures.
   */
  async finish(reason: string): Promise<void> {
    this.#fail(new AbortedError(`${this.#program.name} is over: ${reason}`));
    await Promise.all([...this.#instances].map((instance) => this.#part(instance, reason)));
    if (this.#farewellFailure) throw this.#farewellFailure;
  }

  /** Ends all instances at once, without a closing call. Calls in hand fail. */
  async close(reason: string): Promise<void> {
    this.#fail(new AbortedError(`${this.#program.name} is over: ${reason}`));
    await Promise.all([...this.#instances].map((instance) => instance.close(reason)));
  }

  #free(): Promise<ProgramInstance> {
    const caller = deferred<ProgramInstance>();
    this.#callers.push(caller);
    this.#serve();
    return caller.promise;
  }

  /** Gives instances that have room to those who wait, the least busy first; opens more where that is not enough. */
  #serve(): void {
    if (this.#failure) {
      for (const caller of this.#callers.splice(0)) caller.reject(this.#failure);
      return;
    }
    while (this.#callers.length > 0) {
      const [instance] = [...this.#instances]
        .filter((one) => !this.#leaving.has(one) && one.callsInHand < CALLS_EACH)
        .sort((a, b) => a.callsInHand - b.callsInHand);
      if (!instance) break;
      this.#callers.shift()?.resolve(instance);
      // The call is made in a microtask: until then the instance looks as free as before.
      if (this.#callers.length > 0) return queueMicrotask(() => this.#serve());
    }
    const { max } = this.#options;
    const open = this.#instances.size - this.#leaving.size + this.#opening;
    const missing = Math.min(max - open, this.#callers.length - this.#opening * CALLS_EACH);
    for (let i = 0; i < missing; i++) void this.#open();
  }

  async #open(): Promise<void> {
    const { runtime, device } = this.#options;
    this.#opening++;
    try {
      const instance = await openProgram(this.#pool, this.#program, {
        runtime,
        device,
        excluded: this.#excluded,
        avoided: this.#avoided,
        signal: this.#over.signal,
        onWaiting: (reason) => this.#tell(reason),
      });
      this.#opening--;
      if (this.#over.signal.aborted) return void instance.close('it is not needed any more');
      this.#instances.add(instance);
      void instance.ended.then(() => this.#forget(instance));
      void instance.leaving.then(() => {
        this.#leaving.add(instance);
        this.#dismiss(instance);
        this.#serve();
      });
      this.#tell(this.#opening === 0 ? undefined : this.#waiting);
      this.#serve();
    } catch (error) {
      this.#opening--;
      this.#fail(error as Error);
    }
  }

  /** Closes a leaving instance once it has nothing in hand. */
  #dismiss(instance: ProgramInstance): void {
    if (this.#leaving.has(instance) && instance.callsInHand === 0)
      void this.#part(instance, 'the worker is leaving');
  }

  /** Once each, whoever asks. */
  #part(instance: ProgramInstance, reason: string): Promise<void> {
    const parting = this.#partings.get(instance) ?? this.#sayFarewell(instance, reason);
    this.#partings.set(instance, parting);
    return parting;
  }

  async #sayFarewell(instance: ProgramInstance, reason: string): Promise<void> {
    const { closing } = this.#options;
    if (closing) {
      await instance.call(closing.method, [], { deadlineMs: closing.deadlineMs }).catch((error: Error) => {
        if (!(error instanceof ProgramLostError)) this.#farewellFailure ??= error;
      });
    }
    await instance.close(reason);
  }

  #forget(instance: ProgramInstance): void {
    this.#instances.delete(instance);
    this.#leaving.delete(instance);
    this.#tell(this.#waiting);
    this.#serve();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#over.abort();
    this.#serve();
  }

  #tell(waiting: string | undefined): void {
    this.#waiting = waiting;
    this.#options.onStatus?.({ workers: [...this.#instances].map(({ worker }) => worker), waiting });
  }
}
