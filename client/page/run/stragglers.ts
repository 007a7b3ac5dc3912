// What each worker did in the last rounds, and which of them holds up the others, and with what.

import type { RoundTiming } from '../../../shared/api/runAnswers.ts';

/** Means of a round. */
export interface WorkerPace {
  readonly workerId: string;
  /** Of those that it works on; undefined where they are not known. */
  readonly rows: number | undefined;
  readonly computeMs: number;
  readonly exchangeMs: number;
  readonly bytesSent: number;
}

export type Verdict =
  | { readonly kind: 'alone' | 'balanced' }
  /** Its computing is what others wait for. */
  | {
      readonly kind: 'compute';
      readonly workerId: string;
      readonly computeMs: number;
      readonly medianMs: number;
      /** Of a round that the others wait. */
      readonly waits: number;
    }
  /** Sending takes long even for the one that waits least. */
  | { readonly kind: 'exchange'; readonly workerId: string; readonly share: number };

/** Less of a round than this is no news. */
const NOTABLE = 0.15;
const MOSTLY_EXCHANGE = 0.5;

/** By worker, those of the last round alone; the slowest first. */
export function pacesOf(
  rounds: readonly { readonly timings: readonly RoundTiming[] }[],
  rows: ReadonlyMap<string, number>,
): WorkerPace[] {
  const present = rounds.at(-1)?.timings ?? [];
  return present
    .map(({ workerId }) => {
      const own = rounds.flatMap(({ timings }) => timings.filter((timing) => timing.workerId === workerId));
      const mean = (key: 'bytesSent' | 'computeMs' | 'exchangeMs'): number =>
        own.reduce((sum, timing) => sum + timing[key], 0) / own.length;
      return {
        workerId,
        rows: rows.get(workerId),
        computeMs: mean('computeMs'),
        exchangeMs: mean('exchangeMs'),
        bytesSent: mean('bytesSent'),
      };
    })
    .sort((a, b) => b.computeMs - a.computeMs);
}

/**
 * In a round all wait for the last: whoever computes longest exchanges shortest, and what it exchanges is the cost of
 * sending itself.
 * @param paces the slowest first.
 */
export function verdictOf(paces: readonly WorkerPace[]): Verdict {
  const [slowest] = paces;
  if (!slowest || paces.length < 2) return { kind: 'alone' };
  const roundMs = Math.max(...paces.map(({ computeMs, exchangeMs }) => computeMs + exchangeMs));
  if (roundMs <= 0) return { kind: 'balanced' };
  const medianMs = paces[Math.floor(paces.length / 2)]!.computeMs;
  const waits = (slowest.computeMs - medianMs) / roundMs;
  const quickest = paces.reduce((least, pace) => (pace.exchangeMs < least.exchangeMs ? pace : least));
  const share = quickest.exchangeMs / roundMs;
  if (share >= MOSTLY_EXCHANGE && share > waits) {
    return { kind: 'exchange', workerId: quickest.workerId, share };
  }
  if (waits < NOTABLE) return { kind: 'balanced' };
  const { workerId, computeMs } = slowest;
  return { kind: 'compute', workerId, computeMs, medianMs, waits };
}
