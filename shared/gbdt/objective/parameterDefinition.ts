// The kinds of training parameters: how a value from outside is read, checked and described.

import { ParameterRangeError } from '../errors/gbdtErrors.ts';

/** One parameter: defined once, read by validation, by docs tables and by the command line. */
export interface ParameterDefinition<T> {
  /** Other names that XGBoost accepts for it. */
  readonly aliases: readonly string[];
  readonly default: T;
  /** The valid values in words, e.g. "a number in (0, 1]". */
  readonly range: string;
  readonly doc: string;
  /** @throws ParameterRangeError naming the parameter and the valid range. */
  parse(value: unknown, name: string): T;
}

interface Common<T> {
  readonly aliases?: readonly string[];
  readonly default: T;
  readonly doc: string;
}

interface Interval {
  readonly min?: number;
  readonly max?: number;
  /** True when `min` itself is not valid. */
  readonly aboveMin?: boolean;
}

export function outOfRange(name: string, value: unknown, range: string): ParameterRangeError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return new ParameterRangeError(`parameter ${name} is ${shown.slice(0, 200)}, expected ${range}`, {
    field: `params.${name}`,
  });
}

/** Numbers may come as text ("0.3"), as XGBoost's own interfaces pass them. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '') return Number(value);
  return NaN;
}

function intervalInWords({ min, max, aboveMin }: Interval): string {
  if (min === undefined && max === undefined) return '';
  const low = min === undefined ? '(-inf' : `${aboveMin === true ? '(' : '['}${min}`;
  return ` in ${low}, ${max === undefined ? 'inf)' : `${max}]`}`;
}

function within(value: number, { min, max, aboveMin }: Interval): boolean {
  if (min !== undefined && (aboveMin === true ? value <= min : value < min)) return false;
  return max === undefined || value <= max;
}

/** A float32, as XGBoost holds it: the value is rounded to the nearest one. */
export function floatParameter(options: Common<number> & Interval): ParameterDefinition<number> {
  const range = `a number${intervalInWords(options)}`;
  return {
    aliases: options.aliases ?? [],
    default: Math.fround(options.default),
    range,
    doc: options.doc,
    parse(value, name) {
      const number = toNumber(value);
      const rounded = Math.fround(number);
      if (Number.isFinite(number) && !Number.isFinite(rounded))
        throw outOfRange(name, value, `${range} that float32 can hold, at most 3.4e38`);
      if (!Number.isFinite(rounded) || !within(number, options)) throw outOfRange(name, value, range);
      return rounded;
    },
  };
}

export function integerParameter(options: Common<number> & Interval): ParameterDefinition<number> {
  const range = `an integer${intervalInWords(options)}`;
  return {
    aliases: options.aliases ?? [],
    default: options.default,
    range,
    doc: options.doc,
    parse(value, name) {
      const number = toNumber(value);
      if (!Number.isSafeInteger(number) || !within(number, options)) throw outOfRange(name, value, range);
      return number;
    },
  };
}

/** A parameter of XGBoost that has one value here: pasted settings are accepted where they change nothing. */
export function neutralParameter<const T extends number | boolean | string>(options: {
  readonly value: T;
  readonly doc: string;
}): ParameterDefinition<T> {
  const { value: neutral, doc } = options;
  const range = `${JSON.stringify(neutral)}, which changes nothing`;
  return {
    aliases: [],
    default: neutral,
    range,
    doc,
    parse(value, name) {
      const isNeutral =
        value === neutral || (typeof value === 'string' && value.toLowerCase() === String(neutral));
      const isSwitch =
        typeof neutral === 'boolean' && (value === Number(neutral) || value === String(Number(neutral)));
      if (!isNeutral && !isSwitch) throw outOfRange(name, value, range);
      return neutral;
    },
  };
}

/** @param options refused: names that are known elsewhere, and why they are no choice. */
export function choiceParameter<const T extends string>(
  options: Common<NoInfer<T>> & {
    readonly choices: readonly T[];
    readonly refused?: { readonly names: readonly string[]; readonly why: string };
  },
): ParameterDefinition<T> {
  const range = `one of ${options.choices.join(', ')}`;
  return {
    aliases: options.aliases ?? [],
    default: options.default,
    range,
    doc: options.doc,
    parse(value, name) {
      const found = options.choices.find((choice) => choice === value);
      if (found !== undefined) return found;
      const { names = [], why } = options.refused ?? {};
      throw outOfRange(name, value, names.some((one) => one === value) ? `${range}: ${why}` : range);
    },
  };
}

/** One name or a list of names; an empty list stands for the objective's default. */
export function namesParameter(
  options: Common<readonly string[]> & { readonly choices: readonly string[] },
): ParameterDefinition<readonly string[]> {
  const range = `a name or a list of names out of ${options.choices.join(', ')}`;
  return {
    aliases: options.aliases ?? [],
    default: options.default,
    range,
    doc: options.doc,
    parse(value, name) {
      const names: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (names.length > 64) throw outOfRange(name, value, `${range}, at most 64`);
      return names.map((one) => {
        if (typeof one !== 'string' || !options.choices.includes(one)) throw outOfRange(name, one, range);
        return one;
      });
    },
  };
}

/** Constraint of each feature by its position, or by its name for those that have one. */
export type MonotoneConstraints = readonly number[] | Readonly<Record<string, number>>;

const isSign = (value: unknown): value is -1 | 0 | 1 => value === -1 || value === 0 || value === 1;

/** XGBoost's forms: [1, 0, -1], "(1,0,-1)", or { feature: 1 }. */
export function monotoneParameter(
  options: Common<MonotoneConstraints>,
): ParameterDefinition<MonotoneConstraints> {
  const range = '-1, 0 or 1 for each feature: a list, "(1,0,-1)", or an object from feature name to sign';
  return {
    aliases: options.aliases ?? [],
    default: options.default,
    range,
    doc: options.doc,
    parse(value, name) {
      let given = value;
      if (typeof value === 'string') {
        const inner = /^\s*[([](.*)[)\]]\s*$/.exec(value)?.[1];
        if (inner === undefined) throw outOfRange(name, value, range);
        given = inner.trim() === '' ? [] : inner.split(',').map(Number);
      }
      if (Array.isArray(given)) {
        if (!given.every(isSign)) throw outOfRange(name, value, range);
        return given;
      }
      if (typeof given !== 'object' || given === null) throw outOfRange(name, value, range);
      const entries = Object.entries(given);
      if (!entries.every(([, sign]) => isSign(sign))) throw outOfRange(name, value, range);
      return Object.fromEntries(entries) as Record<string, number>;
    },
  };
}
