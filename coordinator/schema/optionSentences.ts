// Turns what a schema found wrong into sentences that name the option, its value and what was expected.

import { z } from 'zod';
import { nearestWord, unknownKey } from '../../shared/text/nearestWord.ts';
import { expectedOf, keysOf, schemasAt, type JsonSchema } from './schemaWords.ts';

type Path = readonly PropertyKey[];

/** What zod says of values that it can only ask a function about. */
const NO_WORDS = 'Invalid input';

export interface OptionProblem {
  /** Dotted path of the option, e.g. `data.testSize`. */
  readonly field: string;
  /** Without a full stop. */
  readonly sentence: string;
}

/**
 * What is wrong with options, unknown keys first.
 * @param whole what the options are called together, e.g. "the whole config".
 * @param most problems that are told.
 */
export function optionProblems(
  { issues }: z.ZodError,
  input: unknown,
  schema: z.ZodType,
  { whole, most }: { readonly whole: string; readonly most: number },
): OptionProblem[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const problems: OptionProblem[] = [];
  for (const issue of unknownFirst(issues)) {
    if (problems.length >= most) break;
    problems.push(...describeIssue(issue, input, json, whole, most));
  }
  return problems.slice(0, most);
}

function unknownFirst(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const isUnknown = ({ code }: z.core.$ZodIssue): boolean => code === 'unrecognized_keys';
  return [...issues.filter(isUnknown), ...issues.filter((issue) => !isUnknown(issue))];
}

function describeIssue(
  issue: z.core.$ZodIssue,
  input: unknown,
  json: JsonSchema,
  whole: string,
  most: number,
): OptionProblem[] {
  const field = pathText(issue.path);
  const value = valueAt(input, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemasAt(json, issue.path, input));
    return issue.keys.slice(0, most).map((key) => {
      const problem = unknownKey({ [key]: true }, known)?.problem ?? 'is not an option';
      return problemOf(pathText([...issue.path, key]), problem);
    });
  }
  if (issue.code === 'invalid_union') {
    const inner = meantForm(issue.errors, value);
    if (inner !== undefined) {
      const moved = inner.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
      return unknownFirst(moved).flatMap((one) => describeIssue(one, input, json, whole, most));
    }
  }
  if (issue.code === 'custom' && issue.message !== NO_WORDS) return [problemOf(field, issue.message)];
  const allowed = schemasAt(json, issue.path, input);
  const expected = hasOwnWords(issue) ? issue.message : `expected ${expectedOf(allowed, value)}`;
  if (field === '') return [{ field, sentence: `${whole} is ${shownValue(value)}, ${expected}` }];
  if (value === undefined) return [problemOf(field, `is missing; ${expected}`)];
  const nearest = typeof value === 'string' ? nearestWord(value, wordsOf(allowed)) : undefined;
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return [problemOf(field, `is ${shownValue(value)}; ${expected}${hint}`)];
}

function problemOf(field: string, words: string): OptionProblem {
  return { field, sentence: `${field} ${words}` };
}

/** Patterns and checks say themselves what they expect. */
function hasOwnWords(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_format' && !issue.message.startsWith('Invalid ');
}

/** Of forms that an option may have, the one whose kind the value is, if that is one alone. */
function meantForm(
  forms: readonly (readonly z.core.$ZodIssue[])[],
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fitting = forms.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  );
  if (fitting.length < 2) return fitting[0];
  const known = fitting.filter((issues) => issues.every(({ code }) => code !== 'unrecognized_keys'));
  if (known.length === 1) return known[0];
  // Of two that have the keys, the one that misses none.
  const whole = (known.length > 0 ? known : fitting).filter((issues) =>
    issues.every(({ path }) => valueAt(value, path) !== undefined),
  );
  return whole.length === 1 ? whole[0] : undefined;
}

function wordsOf(schemas: readonly JsonSchema[]): string[] {
  return schemas
    .flatMap(({ const: only, enum: words = [] }) => (only === undefined ? words : [only]))
    .filter((word) => typeof word === 'string');
}

/** e.g. `data.train[2]`. */
function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** A value in few characters. Modules may hold what JSON does not know. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value, 80));
  if (typeof value === 'number') return String(value);
  try {
    return shortened(JSON.stringify(value) ?? typeof value, 80);
  } catch {
    return typeof value;
  }
}

export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 3)}...` : text;
}
