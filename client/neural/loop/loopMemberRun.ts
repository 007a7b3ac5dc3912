// A run of the owner's own loop at one member: tfjs, the rows, and the checkpoint to go on from.

import { AbortedError } from '../../../shared/errors.ts';
import type { LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { readLoopSpec } from '../../../shared/neural/loop/readLoopSpec.ts';
import { fieldsOf } from '../../../shared/neural/data/tensorShard.ts';
import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { TabgradError } from '../../../shared/errors.ts';
import type { Assignment } from '../../session/generationTask.ts';
import type { GenerationContext, MemberRun, MemberRunKind } from '../../session/memberRun.ts';
import type { SessionEnvironment } from '../../session/sessionEnvironment.ts';
import { TensorRows } from '../run/tensorRows.ts';
import { tellState } from '../run/tellState.ts';
import type { TfjsRuntime } from '../tfjs/loadTfjs.ts';
import { loadLoop } from './loadLoop.ts';
import { joinLoop, type LoopDataset, type LoopReport } from './loopContext.ts';
import { LoopMisuseError } from './loopErrors.ts';
import { LoopState } from './loopState.ts';

export const loopMemberRun: MemberRunKind = {
  async open({ runId }, specJson, environment) {
    const spec = readLoopSpec(specJson);
    return new LoopMemberRun(runId, spec, await environment.openTfjs(), environment);
  },
};

/** Thrown into the owner's loop to end it where the generation ends; nobody else sees it. */
class GenerationOver extends AbortedError {}

class LoopMemberRun implements MemberRun {
  readonly runId: string;
  readonly endsTogether = true;
  readonly #spec: LoopSpec;
  readonly #runtime: TfjsRuntime;
  readonly #state: LoopState;
  readonly #datasets: ReadonlyMap<string, LoopDataset>;
  #assignment: Assignment | undefined;
  #savedReports = 0;
  #reportedAt = 0;
  #bytesReported = 0;
  lostReason: string | undefined;

  constructor(runId: string, spec: LoopSpec, runtime: TfjsRuntime, environment: SessionEnvironment) {
    this.runId = runId;
    this.#spec = spec;
    this.#runtime = runtime;
    this.#state = new LoopState(spec, environment);
    const datasets = Object.entries(spec.datasets);
    this.#datasets = new Map(
      datasets.map(([name, dataset]) => [name, columnsOf(dataset, spec.seed, environment)] as const),
    );
    void runtime.lost.then((reason) => (this.lostReason = reason));
  }

  get committedRounds(): number {
    return Math.max(0, this.#state.reports);
  }

  prepare(assignment: Assignment): Promise<void> {
    this.#assignment = assignment;
    this.#savedReports = assignment.savedState?.rounds ?? 0;
    return Promise.resolve();
  }

  meet({ collective, signal }: GenerationContext): Promise<void> {
    return this.#state.settle(collective, this.#assignment?.savedState, signal);
  }

  async train(context: GenerationContext): Promise<void> {
    const { environment, signal, generation, collective } = context;
    this.#reportedAt = environment.now();
    this.#bytesReported = 0;
    const { reports, checkpoint } = this.#state;
    const member = joinLoop({
      tf: this.#runtime.tf,
      collective,
      datasets: this.#datasets,
      signal,
      timeoutMs: this.#spec.timeoutMs,
      reports,
      checkpoint,
      endsAfter: (report) => report >= this.#spec.maxReports || report >= context.haltAtRounds(),
      over: () => new GenerationOver('this generation has no further report'),
      onReport: (report) => this.#commit(report, context),
    });
    const loop = await loadLoop(this.#spec.code, this.#runtime.tf, environment, signal);
    // A loop that computes on without asking for anything is left to itself.
    const calls = Promise.race([
      (async () => {
        await loop(this.#spec.config, member.context);
        await member.returned();
      })(),
      whenAborted(signal),
    ]);
    try {
      await calls;
    } catch (error) {
      const cause = member.failure ?? error;
      if (!(cause instanceof GenerationOver)) throw loopFailure(cause);
      // The first rank stores the state where it is wanted; that the others tell theirs costs little.
      if (context.rank > 0 || context.keepsState() || this.#isOver) await this.#tellState(context);
      return;
    }
    await this.#tellState(context);
    environment.send({ type: 'finished', runId: this.runId, generation, rounds: this.#state.reports });
  }

  /** The members have it all. */
  knownRounds(): [] {
    return [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get #isOver(): boolean {
    return this.#state.reports >= this.#spec.maxReports;
  }

  async #commit({ report, metrics, checkpoint }: LoopReport, context: GenerationContext): Promise<void> {
    const { environment, rank, generation, members, links } = context;
    this.#state.reports = report;
    if (checkpoint) this.#state.checkpoint = checkpoint;
    // What the owner sees as done must not be lost with the group.
    if (checkpoint || this.#isOver) await this.#tellState(context);
    const now = environment.now();
    const bytes = [...links.values()].reduce((sum, link) => sum + link.stats.bytesSent, 0);
    environment.send({
      type: 'committed',
      runId: this.runId,
      generation,
      round: report - 1,
      computeMs: now - this.#reportedAt,
      exchangeMs: 0,
      bytesSent: bytes - this.#bytesReported,
      metrics: { ...metrics },
    });
    environment.onStatus?.({
      state: 'training',
      runId: this.runId,
      round: report,
      rounds: this.#spec.maxReports,
      rows: 0,
      groupSize: members.length,
      rank,
      rowsPerSecond: 0,
      links: [...links.values()].map((link) => ({ peer: link.peer, path: link.path, ...link.stats })),
    });
    this.#reportedAt = now;
    this.#bytesReported = bytes;
  }

  async #tellState(context: GenerationContext): Promise<void> {
    const { reports } = this.#state;
    if (reports <= this.#savedReports) return;
    await tellState(context, this.runId, reports, this.#state.packed());
    this.#savedReports = reports;
  }
}

function columnsOf(dataset: TensorDataset, seed: number, environment: SessionEnvironment): LoopDataset {
  const rows = new TensorRows(dataset, seed, environment);
  const fields = fieldsOf(dataset);
  return {
    rows: dataset.rows,
    async read(epoch, from, to, signal) {
      const { inputs, targets } = await rows.read({ epoch, from, to }, 0, signal);
      return fields.map(({ name, shape }, at) => ({ name, shape, values: inputs[at] ?? targets }));
    },
  };
}

/** What the loop threw, under its own code; what the group or the device did keeps its. */
function loopFailure(error: unknown): Error {
  if (error instanceof TabgradError) return error;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new LoopMisuseError(`trainLoopPerWorker threw: ${what.slice(0, 2000)}`, {}, { cause: error });
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
