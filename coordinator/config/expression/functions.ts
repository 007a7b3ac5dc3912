// The functions of expressions. An addition is one entry here; the parser, its messages and docs/config.md know it then.
// Missing values are NaN and go through by themselves, since arithmetic on NaN is NaN.

export interface ExpressionFunction {
  readonly arity: number;
  readonly help: string;
  /** "if" and "isMissing" also take text and are evaluated by bindExpression. */
  readonly apply?: (...values: number[]) => number;
}

const MS_PER_DAY = 86_400_000;

/** Remainder that is never negative, for times before 1970. */
function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}

function calendar(read: (date: Date) => number): (ms: number) => number {
  return (ms) => read(new Date(ms));
}

function dayOfYear(date: Date): number {
  return (
    (Math.floor(date.getTime() / MS_PER_DAY) * MS_PER_DAY - Date.UTC(date.getUTCFullYear(), 0, 1)) /
      MS_PER_DAY +
    1
  );
}

/** Keyed by name. Times are milliseconds since 1970 (what date and timestamp columns hold) and read as UTC. */
export const functions: Readonly<Record<string, ExpressionFunction>> = {
  year: { arity: 1, help: 'year(time), e.g. 2001', apply: calendar((date) => date.getUTCFullYear()) },
  month: { arity: 1, help: 'month(time), 1 to 12', apply: calendar((date) => date.getUTCMonth() + 1) },
  dayOfMonth: { arity: 1, help: 'dayOfMonth(time), 1 to 31', apply: calendar((date) => date.getUTCDate()) },
  dayOfYear: { arity: 1, help: 'dayOfYear(time), 1 to 366', apply: calendar(dayOfYear) },
  weekday: {
    arity: 1,
    help: 'weekday(time), 0 (Sunday) to 6 (Saturday)',
    apply: (ms) => modulo(Math.floor(ms / MS_PER_DAY) + 4, 7), // 1970 began on a Thursday
  },
  hour: {
    arity: 1,
    help: 'hour(time), 0 to 23',
    apply: (ms) => Math.floor(modulo(ms, MS_PER_DAY) / 3_600_000),
  },
  minute: {
    arity: 1,
    help: 'minute(time), 0 to 59',
    apply: (ms) => Math.floor(modulo(ms, 3_600_000) / 60_000),
  },
  abs: { arity: 1, help: 'abs(number)', apply: Math.abs },
  floor: { arity: 1, help: 'floor(number)', apply: Math.floor },
  ceil: { arity: 1, help: 'ceil(number)', apply: Math.ceil },
  round: { arity: 1, help: 'round(number), halves up', apply: Math.round },
  sqrt: { arity: 1, help: 'sqrt(number)', apply: Math.sqrt },
  exp: { arity: 1, help: 'exp(number)', apply: Math.exp },
  log: { arity: 1, help: 'log(number), the natural logarithm', apply: Math.log },
  min: { arity: 2, help: 'min(number, number)', apply: Math.min },
  max: { arity: 2, help: 'max(number, number)', apply: Math.max },
  isMissing: { arity: 1, help: 'isMissing(value), true where the value is missing' },
  if: { arity: 3, help: 'if(condition, value where true, value where false)' },
};
