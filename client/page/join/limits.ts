// The limits that a volunteer sets, and what of them holds the work up at the moment.

export const schedules = ['always', 'hidden', 'idle'] as const;
/** When work is done: always; while the page is hidden; while nobody uses the computer. */
type Schedule = (typeof schedules)[number];

export interface Limits {
  /** Share of the device's time that is lent, in (0, 1]. */
  readonly share: number;
  readonly onlyOnMains: boolean;
  readonly schedule: Schedule;
  /** Bytes sent and received in a day; undefined is without bound. */
  readonly dataBytes: number | undefined;
  /** Bytes of memory of this page and its threads; undefined is without bound. */
  readonly memoryBytes: number | undefined;
  /** Whether the screen is kept from switching off, which would put the computer to sleep. */
  readonly keepAwake: boolean;
}

export const defaultLimits: Limits = {
  share: 1,
  onlyOnMains: false,
  schedule: 'always',
  dataBytes: undefined,
  memoryBytes: undefined,
  keepAwake: false,
};

/** What the page knows of its surroundings. */
export interface Sensed {
  /** Undefined where the browser does not tell. */
  readonly isOnMains: boolean | undefined;
  readonly isHidden: boolean;
  /** Undefined where the browser does not tell, or may not. */
  readonly isIdle: boolean | undefined;
  /** Bytes sent and received today. */
  readonly transferredBytes: number;
  /** The most that was measured since the limit was set; undefined where the browser does not tell. */
  readonly memoryBytes: number | undefined;
}

/** A limit that holds the work up. */
export type Hold = 'battery' | 'visible' | 'busy' | 'data' | 'memory';

/** The limits that are reached, in the order in which they are shown. What is not known holds nothing up. */
export function holdsOf(limits: Limits, sensed: Sensed): Hold[] {
  const holds: Hold[] = [];
  if (limits.onlyOnMains && sensed.isOnMains === false) holds.push('battery');
  if (limits.schedule === 'hidden' && !sensed.isHidden) holds.push('visible');
  if (limits.schedule === 'idle' && sensed.isIdle === false) holds.push('busy');
  if (limits.dataBytes !== undefined && sensed.transferredBytes >= limits.dataBytes) holds.push('data');
  if (
    limits.memoryBytes !== undefined &&
    sensed.memoryBytes !== undefined &&
    sensed.memoryBytes > limits.memoryBytes
  ) {
    holds.push('memory');
  }
  return holds;
}

/** Limits as an earlier visit left them; what is not a limit is left out. */
export function readLimits(text: string | null): Limits {
  let kept: Partial<Record<keyof Limits, unknown>>;
  try {
    kept = { ...(JSON.parse(text ?? '{}') as object | null) };
  } catch {
    kept = {};
  }
  const bytes = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
  const { share, schedule } = kept;
  return {
    share: typeof share === 'number' && share >= 0.05 && share <= 1 ? share : defaultLimits.share,
    onlyOnMains: kept.onlyOnMains === true,
    schedule: schedules.find((known) => known === schedule) ?? defaultLimits.schedule,
    dataBytes: bytes(kept.dataBytes),
    memoryBytes: bytes(kept.memoryBytes),
    keepAwake: kept.keepAwake === true,
  };
}
