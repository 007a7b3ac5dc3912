// The worker's side of runs: turns the coordinator's messages into generations, one at a time, and answers for them.
// Messages are put in a queue, so that a generation has quite ended before the next one starts.

import { decodeTree } from '../../shared/gbdt/treeCodec.ts';
import { readTrainSpec } from '../../shared/gbdt/readTrainSpec.ts';
import type { CoordinatorMessage, CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import { BadAssignmentError } from './errors.ts';
import { GenerationTask } from './generationTask.ts';
import type { Assignment } from './generationTask.ts';
import { encodeKnownRounds } from './roundMessages.ts';
import { RunData } from './runData.ts';
import type { SessionEnvironment, WorkerSession } from './sessionEnvironment.ts';

export function createWorkerSession(environment: SessionEnvironment): WorkerSession {
  return new RunSession(environment);
}

class RunSession implements WorkerSession {
  readonly #environment: SessionEnvironment;
  #queue: Promise<void> = Promise.resolve();
  #data: RunData | undefined;
  #task: GenerationTask | undefined;
  #closed = false;

  constructor(environment: SessionEnvironment) {
    this.#environment = environment;
  }

  handle(message: CoordinatorMessage): void {
    switch (message.type) {
      case 'assign':
        this.#task?.withdraw(`generation ${message.generation} replaces this one`);
        this.#enqueue(() => this.#assign(message));
        break;
      case 'begin':
        if (this.#isCurrent(message)) this.#task?.begin();
        else this.#enqueue(async () => this.#isCurrent(message) && this.#task?.begin());
        break;
      case 'halt':
        if (this.#isCurrent(message)) {
          if (message.when === 'now') this.#task?.withdraw(message.reason);
          else this.#task?.haltAtRounds(message.atRounds ?? 0, message.reason);
        }
        this.#enqueue(() => this.#answerHalt(message));
        break;
      case 'release':
        if (this.#data?.runId === message.runId) this.#task?.withdraw(message.reason);
        this.#enqueue(() => this.#release(message.runId));
        break;
      case 'welcome':
      case 'refused':
      case 'ping':
      case 'shutdown':
        break;
    }
  }

  async close(reason: string): Promise<void> {
    this.#closed = true;
    this.#task?.withdraw(reason);
    this.#enqueue(() => this.#drop());
    await this.#queue;
  }

  #enqueue(work: () => Promise<unknown>): void {
    this.#queue = this.#queue.then(async () => {
      try {
        await work();
      } catch (error) {
        this.#environment.log(
          `session: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    });
  }

  #isCurrent(message: { runId: string; generation: number }): boolean {
    const assignment = this.#task?.assignment;
    return assignment?.runId === message.runId && assignment.generation === message.generation;
  }

  async #assign(assignment: Assignment): Promise<void> {
    await this.#task?.ended;
    this.#task?.closeLinks();
    if (this.#closed) return;
    const task = new GenerationTask(assignment, this.#environment, (one, signal) =>
      this.#openRun(one, signal),
    );
    this.#task = task;
    void this.#reportEnd(task);
  }

  async #reportEnd(task: GenerationTask): Promise<void> {
    const end = await task.ended;
    const { runId, generation } = task.assignment;
    if (end.kind === 'stalled') {
      const lost = end.code === 'DEVICE_LOST' ? this.#data : undefined;
      if (lost) this.#data = undefined;
      this.#environment.send({
        type: 'stalled',
        runId,
        generation,
        missing: [...end.missing],
        code: end.code,
        message: end.message,
      });
      await lost?.close();
    } else if (end.kind === 'failed') {
      this.#environment.send({ type: 'failed', runId, generation, code: end.code, message: end.message });
    }
  }

  async #openRun(assignment: Assignment, signal: AbortSignal): Promise<RunData> {
    if (this.#data && this.#data.runId !== assignment.runId) await this.#closeData();
    this.#data ??= await this.#startRun(assignment, signal);
    const data = this.#data;
    data.forgetBeyond(assignment.committedRounds, assignment.agreedRounds ?? 0);
    if (data.committed.length < assignment.committedRounds) {
      if (assignment.trees === null) {
        throw new BadAssignmentError(
          `${assignment.committedRounds} rounds are committed, but no trees were named`,
        );
      }
      const rounds = await this.#fetchJson(assignment.trees, signal);
      if (!Array.isArray(rounds) || rounds.length < assignment.committedRounds) {
        throw new BadAssignmentError(`the trees blob does not hold ${assignment.committedRounds} rounds`);
      }
      const missing: unknown[] = rounds.slice(data.committed.length, assignment.committedRounds);
      for (const round of missing) {
        if (!Array.isArray(round))
          throw new BadAssignmentError('a round of the trees blob is no list of trees');
        const trees = round.map((tree) => decodeTree(tree, data.spec.features.length));
        data.committed.push({ trees, metrics: undefined });
      }
    }
    return data;
  }

  async #startRun(assignment: Assignment, signal: AbortSignal): Promise<RunData> {
    const spec = readTrainSpec(await this.#fetchJson(assignment.spec, signal));
    const device = await this.#environment.createDevice(spec.device);
    return new RunData(assignment.runId, spec, device, this.#environment);
  }

  async #fetchJson(sha256: string, signal: AbortSignal): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.#environment.fetchBlob(sha256, { signal })));
  }

  async #answerHalt(message: CoordinatorMessageOf<'halt'>): Promise<void> {
    if (this.#isCurrent(message)) await this.#task?.ended;
    const { runId, generation, knownRounds } = message;
    const committed = this.#data?.runId === runId ? this.#data.committed : [];
    const rounds = encodeKnownRounds(committed, knownRounds);
    this.#environment.send({ type: 'halted', runId, generation, committedRounds: committed.length, rounds });
  }

  async #release(runId: string): Promise<void> {
    if (this.#data?.runId !== runId && this.#task?.assignment.runId !== runId) return;
    await this.#drop();
    this.#environment.onStatus?.({ state: 'idle' });
  }

  async #drop(): Promise<void> {
    await this.#task?.ended;
    this.#task?.closeLinks();
    this.#task = undefined;
    await this.#closeData();
  }

  async #closeData(): Promise<void> {
    const data = this.#data;
    this.#data = undefined;
    await data?.close();
  }
}
