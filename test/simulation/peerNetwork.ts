// What members of a group do among themselves, without the coordinator: meet, and do rounds together. A round is done
// when every member has sent its contribution; each learns of it in its own time, or never, when it goes away before.
// What a round contains depends on the generation that made it, so two versions of a round can be told apart.

import { createHash } from 'node:crypto';
import type { ManualClock } from '../setup/manualClock.ts';
import type { RandomChoices } from './randomChoices.ts';

/** A member's place in a generation, as long as it takes part. */
export interface Slot {
  readonly workerId: string;
  /** Its keys with the others, as the coordinator gave them. */
  readonly linkKeys: Readonly<Record<string, string>>;
  /** Everybody is connected. */
  connected(): void;
  /** A round is complete here. */
  completed(round: number, content: string): void;
  /** The round, or the meeting, can't be completed. */
  stalled(missing: readonly string[]): void;
}

interface Meeting {
  readonly generation: number;
  readonly members: readonly string[];
  readonly slots: Map<string, Slot>;
  readonly contributions: Map<number, Map<string, string>>;
  readonly gone: Set<string>;
}

export class PeerNetwork {
  readonly #clock: ManualClock;
  readonly #random: RandomChoices;
  readonly #meetings = new Map<number, Meeting>();
  /** Contents of all rounds that were ever completed. */
  readonly made = new Set<string>();
  /** Pairs that can't reach each other by any path. */
  readonly brokenPairs = new Set<string>();

  constructor(clock: ManualClock, random: RandomChoices) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Takes a slot; the returned function gives it up. */
  join(generation: number, members: readonly string[], slot: Slot): () => void {
    const meeting = this.#meetings.get(generation) ?? {
      generation,
      members,
      slots: new Map<string, Slot>(),
      contributions: new Map<number, Map<string, string>>(),
      gone: new Set<string>(),
    };
    this.#meetings.set(generation, meeting);
    if (meeting.members.join() !== members.join())
      throw new Error(`generation ${generation} has two member lists`);
    for (const other of meeting.slots.values()) checkKeys(generation, slot, other);
    meeting.slots.set(slot.workerId, slot);
    if (meeting.slots.size === members.length && meeting.gone.size === 0) this.#connect(meeting);
    return () => this.#leave(meeting, slot.workerId);
  }

  /** Sends this member's share of a round to the others. `previous` is what it holds as the round before. */
  contribute(generation: number, workerId: string, round: number, previous: string): void {
    const meeting = this.#meetings.get(generation);
    if (!meeting || meeting.gone.has(workerId)) return;
    const shares = meeting.contributions.get(round) ?? new Map<string, string>();
    shares.set(workerId, previous);
    meeting.contributions.set(round, shares);
    if (shares.size < meeting.members.length) {
      if (meeting.gone.size > 0) this.#stall(meeting, workerId);
      return;
    }
    if (new Set(shares.values()).size !== 1) {
      throw new Error(`generation ${generation}, round ${round}: members start from different states`);
    }
    const digest = createHash('sha256').update(`${previous}/${generation}/${round}`).digest('hex');
    const content = digest.slice(0, 16);
    this.made.add(content);
    for (const slot of meeting.slots.values()) {
      this.#clock.after(this.#random.between(0, 30), () => {
        if (!meeting.gone.has(slot.workerId)) slot.completed(round, content);
      });
    }
  }

  /** Members that this one can't reach, or that have not come. */
  missing(generation: number, workerId: string): string[] {
    const meeting = this.#meetings.get(generation);
    if (!meeting) return [];
    return meeting.members.filter(
      (other) => other !== workerId && (!meeting.slots.has(other) || this.#isBroken(workerId, other)),
    );
  }

  /** Members that hold up this one, which has sent its share of the round, or waits for them to meet. */
  waitingFor(generation: number, workerId: string, round: number): string[] {
    const meeting = this.#meetings.get(generation);
    if (!meeting) return [];
    if (meeting.slots.size < meeting.members.length) return this.missing(generation, workerId);
    const shares = meeting.contributions.get(round);
    return shares?.has(workerId) === true ? meeting.members.filter((other) => !shares.has(other)) : [];
  }

  #isBroken(a: string, b: string): boolean {
    return this.brokenPairs.has([a, b].sort().join('|'));
  }

  #connect(meeting: Meeting): void {
    for (const slot of meeting.slots.values()) {
      if (meeting.members.some((other) => this.#isBroken(slot.workerId, other))) continue;
      this.#clock.after(this.#random.between(5, 50), () => {
        if (!meeting.gone.has(slot.workerId)) slot.connected();
      });
    }
  }

  #leave(meeting: Meeting, workerId: string): void {
    meeting.gone.add(workerId);
    for (const other of meeting.slots.keys()) if (!meeting.gone.has(other)) this.#stall(meeting, other);
  }

  /** Some notice quickly and know who is missing, others notice late or blame somebody else. */
  #stall(meeting: Meeting, workerId: string): void {
    const missing = [...meeting.gone];
    const named = this.#random.chance(0.2) ? [this.#random.pick(meeting.members)] : missing;
    const noticeMs = this.#random.chance(0.3)
      ? this.#random.between(100, 5_000)
      : this.#random.between(1, 50);
    this.#clock.after(noticeMs, () => {
      if (!meeting.gone.has(workerId))
        meeting.slots.get(workerId)?.stalled(named.filter((id) => id !== workerId));
    });
  }
}

/** The two ends of a link have one key, that is no other pair's. */
function checkKeys(generation: number, one: Slot, other: Slot): void {
  const key = one.linkKeys[other.workerId];
  const isShared = Object.values(one.linkKeys).filter((another) => another === key).length !== 1;
  if (key !== undefined && key === other.linkKeys[one.workerId] && !isShared) return;
  throw new Error(`generation ${generation}: ${one.workerId} and ${other.workerId} have no key of their own`);
}
