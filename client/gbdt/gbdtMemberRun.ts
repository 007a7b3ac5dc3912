// A run of boosted trees at one member: leased rows, and the trees of all committed rounds.

import { readTrainSpec } from '../../shared/gbdt/readTrainSpec.ts';
import { readRoundTrees, treeBounds } from '../../shared/gbdt/readRoundTrees.ts';
import type {
  CheckedRound,
  CoordinatorMessageOf,
  Lease,
  WorkerMessageOf,
} from '../../shared/protocol/control.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { Assignment } from '../memberRun/memberRun.ts';
import type { ComingPlace, GenerationContext, MemberRun, MemberRunKind } from '../memberRun/memberRun.ts';
import { type SessionEnvironment, fetchJson } from '../memberRun/sessionEnvironment.ts';
import { encodeKnownRounds } from './roundMessages.ts';
import { RoundTrace } from './roundTrace.ts';
import { RunData } from './runData.ts';
import { trainRounds } from './trainRounds.ts';

export const gbdtMemberRun: MemberRunKind = {
  async open({ runId }, specJson, environment) {
    const spec = readTrainSpec(specJson);
    const device = await environment.createDevice(spec.device);
    return new GbdtMemberRun(new RunData(runId, spec, device, environment), environment);
  },
};

class GbdtMemberRun implements MemberRun {
  readonly endsTogether = false;
  readonly #data: RunData;
  readonly #environment: SessionEnvironment;
  /** Of the last place that was assigned. */
  #groupLeases: readonly (readonly Lease[])[] = [];
  #isChecked = false;
  /** Of the last generation that began; asked for also when that has ended. */
  #trace: RoundTrace | undefined;

  constructor(data: RunData, environment: SessionEnvironment) {
    this.#data = data;
    this.#environment = environment;
  }

  get runId(): string {
    return this.#data.runId;
  }

  get committedRounds(): number {
    return this.#data.committed.length;
  }

  get lostReason(): string | undefined {
    return this.#data.lostReason;
  }

  async preload(place: ComingPlace, signal: AbortSignal): Promise<void> {
    await this.#takeRounds(place, signal);
    await this.#data.hold(place.leases, signal, () => undefined);
    await this.#data.catchUp(signal);
  }

  async prepare(
    assignment: Assignment,
    signal: AbortSignal,
    onRows: (rowsLoaded: number, rowsTotal: number) => void,
  ): Promise<void> {
    const { leases, groupLeases = [], spares } = assignment;
    this.#groupLeases = groupLeases;
    this.#isChecked = assignment.isChecked === true;
    this.#trace = undefined;
    await this.#takeRounds(assignment, signal);
    const rowsTotal = leases.reduce((rows, lease) => rows + lease.rows, 0);
    await this.#data.hold(leases, signal, (rowsLoaded) => onRows(rowsLoaded, rowsTotal), spares);
    await this.#data.catchUp(signal);
  }

  /** Forgets rounds that are not the record's, and takes those that are missing from it. */
  async #takeRounds(
    { committedRounds, agreedRounds = 0, payloads }: Assignment | ComingPlace,
    signal: AbortSignal,
  ): Promise<void> {
    const data = this.#data;
    data.forgetBeyond(committedRounds, agreedRounds);
    if (data.committed.length >= committedRounds) return;
    if (payloads === null) {
      throw new BadAssignmentError(`${committedRounds} rounds are committed, but no payloads were named`);
    }
    const rounds = await fetchJson(this.#environment, payloads, signal);
    if (!Array.isArray(rounds) || rounds.length < committedRounds) {
      throw new BadAssignmentError(`the blob of payloads does not hold ${committedRounds} rounds`);
    }
    const missing: unknown[] = rounds.slice(data.committed.length, committedRounds);
    for (const round of missing) {
      if (!Array.isArray(round))
        throw new BadAssignmentError('a round of the blob of payloads is no list of trees');
      data.committed.push({ trees: readRoundTrees(round, treeBounds(data.spec)), metrics: undefined });
    }
  }

  /** The record has all that members must agree on. */
  meet(): Promise<void> {
    return Promise.resolve();
  }

  train(context: GenerationContext): Promise<void> {
    const { rank, members } = context;
    const { slotsPerFeature } = this.#data.spec.device;
    const slots = slotsPerFeature.reduce((sum, count) => sum + count, 0);
    this.#trace = this.#isChecked ? new RoundTrace(rank, members.length, slots) : undefined;
    return trainRounds({ ...context, data: this.#data, trace: this.#trace }, this.#groupLeases);
  }

  checkRounds({ seed, firstRound, endRound }: CoordinatorMessageOf<'check'>): CheckedRound[] {
    return this.#trace?.check(seed, firstRound, endRound) ?? [];
  }

  knownRounds(firstRound: number): WorkerMessageOf<'halted'>['rounds'] {
    return encodeKnownRounds(this.#data.committed, firstRound);
  }

  close(): Promise<void> {
    return this.#data.close();
  }
}
