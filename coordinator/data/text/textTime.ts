// Instants written as ISO 8601, to the nanosecond.

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/;
/** The Gregorian calendar repeats itself; Date.UTC takes years below 100 for those of the last century. */
const MS_OF_400_YEARS = 146_097 * 86_400_000;

export interface TextTime {
  /** Epoch milliseconds, rounded down. */
  readonly ms: number;
  /** Nanoseconds beyond them. */
  readonly nanoseconds: number;
}

/** Without a zone it is UTC: the same file must not mean another time on another machine. Undefined for impossible days. */
export function parseTime(text: string): TextTime | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  if (m < 1 || m > 12 || d < 1 || d > daysIn(y, m)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const offset = zoneMinutes(zone);
  if (offset === undefined) return undefined;
  const digits = fraction.padEnd(9, '0');
  const ms =
    Date.UTC(y + 400, m - 1, d, Number(hour), Number(minute), Number(second), Number(digits.slice(0, 3))) -
    MS_OF_400_YEARS -
    offset * 60_000;
  return { ms, nanoseconds: Number(digits.slice(3)) };
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year + 400, month, 0)).getUTCDate();
}

function zoneMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

const isoLength = 'T00:00:00.000'.length;

/**
 * ISO 8601 in UTC with all digits that the unit has.
 * @param perMs units in a millisecond: 1000 for microseconds.
 */
export function formatTime(units: bigint, perMs: bigint): string {
  const ms = units / perMs - (units % perMs < 0n ? 1n : 0n);
  const rest = units - ms * perMs;
  const iso = new Date(Number(ms)).toISOString();
  if (rest === 0n) return iso;
  return `${iso.slice(0, iso.indexOf('T') + isoLength)}${String(rest).padStart(String(perMs).length - 1, '0')}Z`;
}

/** Nanoseconds of each type's unit. */
const unitNanoseconds = new Map([
  ['timestamp', 1_000_000],
  ['timestamp[us]', 1000],
  ['timestamp[ns]', 1],
]);

/** Reads times in units of the type; undefined for what is none, or would be cut by the unit, or leave its 64 bits. */
export function timeReader(type: string): (text: string) => bigint | undefined {
  const unit = unitNanoseconds.get(type) ?? 1;
  return (text) => {
    const time = parseTime(text);
    if (time === undefined || time.nanoseconds % unit !== 0) return undefined;
    const units = BigInt(time.ms) * BigInt(1_000_000 / unit) + BigInt(time.nanoseconds / unit);
    return BigInt.asIntN(64, units) === units ? units : undefined;
  };
}
