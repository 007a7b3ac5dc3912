// What is kept of how workers behave in a run: who is not to be used, and what is held against whom.

/** Generations that ended without a round, one after the other. */
export interface FruitlessGenerations {
  readonly generations: number;
  /** By worker: who said that the group can not go on because of it. The worker itself, others, or the coordinator. */
  readonly accusers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly message: string;
}

export const noFruitless: FruitlessGenerations = { generations: 0, accusers: new Map(), message: '' };

/** A worker that is not to be used. */
export interface SetAside {
  readonly reason: string;
  /** A sign of life is enough, failures that are forgiven are, or nothing is: its own messages are the proof. */
  readonly until: 'heard' | 'forgiven' | 'never';
  /** With 'heard': the sign of life counts from then on. */
  readonly notBeforeMs?: number;
  /** It was heard of before that. */
  readonly isHeard?: boolean;
  /** The only one who accused it; when that one is gone, so is the reason. */
  readonly accuser?: string;
}

/** How often a worker stopped the group; it fades while time passes. */
export interface Disturbance {
  readonly level: number;
  readonly atMs: number;
}

/** Members that came to different results without a majority. */
export interface Disputes {
  readonly inARow: number;
  readonly total: number;
}

/** Workers that are not in the pool any more, of whom something is remembered: those of the longest ago are forgotten. */
const MOST_REMEMBERED = 1024;

/** What is kept by worker, bounded: all of those who are there, and of the others as many as may be remembered. */
export function remembered<V>(
  entries: ReadonlyMap<string, V>,
  present: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, V> {
  const forgotten = tooMany(entries.keys(), present);
  return forgotten.size === 0
    ? entries
    : new Map([...entries].filter(([workerId]) => !forgotten.has(workerId)));
}

/** The same of a list of workers. */
export function rememberedIds(
  workerIds: ReadonlySet<string>,
  present: ReadonlyMap<string, unknown>,
): ReadonlySet<string> {
  const forgotten = tooMany(workerIds, present);
  return forgotten.size === 0 ? workerIds : new Set([...workerIds].filter((id) => !forgotten.has(id)));
}

function tooMany(workerIds: Iterable<string>, present: ReadonlyMap<string, unknown>): Set<string> {
  const absent = [...workerIds].filter((workerId) => !present.has(workerId));
  return new Set(absent.slice(0, Math.max(0, absent.length - MOST_REMEMBERED)));
}
