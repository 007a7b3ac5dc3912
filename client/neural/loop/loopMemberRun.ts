// A run of the owner's own loop at one member: the loop's thread, the rows, and the checkpoint to go on from.

import type { LoopCode, LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { packFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { readLoopSpec } from '../../../shared/neural/loop/readLoopSpec.ts';
import { fieldsOf } from '../../../shared/neural/run/tensorShard.ts';
import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { whenAborted } from '../../../shared/whenAborted.ts';
import { callLoop } from '../../ownerLoop/callLoop.ts';
import type { LoopThread } from '../../ownerLoop/loopThread.ts';
import type { Assignment } from '../../memberRun/memberRun.ts';
import type { GenerationContext, MemberRun, MemberRunKind } from '../../memberRun/memberRun.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';
import { TensorRows } from '../run/tensorRows.ts';
import { tellState } from '../run/tellState.ts';
import { loopAnswers, type LoopDataset, type LoopReport } from './loopAnswers.ts';
import { GenerationOver, LoopMisuseError } from './loopErrors.ts';
import { LoopState } from './loopState.ts';

export const loopMemberRun: MemberRunKind = {
  open: async ({ runId }, specJson, environment) =>
    new LoopMemberRun(runId, readLoopSpec(specJson), environment),
};

class LoopMemberRun implements MemberRun {
  readonly runId: string;
  readonly endsTogether = true;
  readonly #spec: LoopSpec;
  readonly #state: LoopState;
  readonly #environment: SessionEnvironment;
  readonly #datasets: ReadonlyMap<string, LoopDataset>;
  /** Of the generation that is being prepared or trained. */
  #thread: LoopThread | undefined;
  /** Of all generations: a loop may take its time to end. */
  readonly #threads = new Set<LoopThread>();
  #assignment: Assignment | undefined;
  #savedReports = 0;
  #reportedAt = 0;
  #bytesReported = 0;
  lostReason: string | undefined;

  constructor(runId: string, spec: LoopSpec, environment: SessionEnvironment) {
    this.runId = runId;
    this.#spec = spec;
    this.#environment = environment;
    this.#state = new LoopState(spec, environment);
    const datasets = Object.entries(spec.datasets);
    this.#datasets = new Map(
      datasets.map(([name, dataset]) => [name, columnsOf(dataset, spec.seed, environment)] as const),
    );
  }

  get committedRounds(): number {
    return Math.max(0, this.#state.reports);
  }

  /** A thread for each generation: a loop that was given up shares nothing with the next. */
  /** Rows are read as they are needed. */
  preload(): Promise<void> {
    return Promise.resolve();
  }

  async prepare(assignment: Assignment, signal: AbortSignal): Promise<void> {
    this.#assignment = assignment;
    this.#savedReports = assignment.savedState?.rounds ?? 0;
    void this.#thread?.end();
    const thread = await openLoop(this.#spec.code, this.#environment, signal);
    this.#thread = thread;
    this.#threads.add(thread);
    void thread.ended.then(() => this.#threads.delete(thread));
    void thread.lost.then((reason) => {
      if (this.#thread === thread) this.lostReason = reason;
    });
    await Promise.race([thread.opened, whenAborted(signal)]);
  }

  meet({ collective, signal }: GenerationContext): Promise<void> {
    return this.#state.settle(collective, this.#assignment!, signal);
  }

  async train(context: GenerationContext): Promise<void> {
    const { environment, generation, rank } = context;
    const thread = this.#thread!;
    try {
      const failure = await this.#call(thread, context);
      if (failure !== undefined && !(failure instanceof GenerationOver)) throw failure;
      // The first rank stores the state where it is wanted; that the others tell theirs costs little.
      if (failure === undefined || rank > 0 || context.keepsState() || this.#isOver) {
        await this.#tellState(context);
      }
      if (failure !== undefined) return;
    } finally {
      void thread.end();
    }
    environment.send({ type: 'finished', runId: this.runId, generation, rounds: this.#state.reports });
  }

  /** @returns what ended the generation before its loop had returned. */
  async #call(thread: LoopThread, context: GenerationContext): Promise<unknown> {
    const { environment, signal, collective } = context;
    const { rank, size } = collective;
    this.#reportedAt = environment.now();
    this.#bytesReported = 0;
    const { reports, checkpoint } = this.#state;
    const { answer, returned } = loopAnswers({
      collective,
      datasets: this.#datasets,
      signal,
      timeoutMs: this.#spec.timeoutMs,
      reports,
      endsAfter: (report) => report >= this.#spec.maxReports || report >= context.haltAtRounds(),
      over: () => new GenerationOver(),
      onReport: (report) => this.#commit(report, context),
    });
    const datasetRows = Object.fromEntries([...this.#datasets].map(([name, { rows }]) => [name, rows]));
    const place = { rank, size, reports, datasetRows, checkpoint: checkpoint && packFiles(checkpoint) };
    const failure = await callLoop(thread, { config: this.#spec.config, place, answer, signal });
    if (failure === undefined) await returned();
    return failure;
  }

  /** The members have it all. */
  knownRounds(): [] {
    return [];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.end()));
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
      metrics: { ...metrics },
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

/** @throws LoopMisuseError where owners may not run code. */
async function openLoop(
  code: LoopCode,
  environment: SessionEnvironment,
  signal: AbortSignal,
): Promise<LoopThread> {
  if (!environment.openLoop) {
    throw new LoopMisuseError(
      'this worker does not run code of owners; start it with "tabgrad worker --allow-code"',
    );
  }
  if (code.kind === 'text') return environment.openLoop('tensors', code);
  const { sha256, sizeBytes } = code.bundle;
  const bytes = await environment.fetchBlob(sha256, { sizeBytes, signal });
  const { exportName } = code;
  const source = new TextDecoder().decode(bytes);
  return environment.openLoop('tensors', { kind: 'module', source, exportName });
}
