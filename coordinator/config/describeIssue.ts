// Turns what the schema found wrong into a sentence that names the key, what it holds and what was expected.

import { z } from 'zod';
import { nearestWord } from '../../shared/text/nearestWord.ts';

type Path = readonly PropertyKey[];
type JsonSchema = z.core.JSONSchema.BaseSchema;

export interface ConfigProblem {
  /** Dotted path of the key, e.g. `data.testSize`. */
  readonly field: string;
  readonly sentence: string;
}

/**
 * @param schema of the whole config.
 * @param most problems that are told of one issue.
 */
export function describeIssue(
  issue: z.core.$ZodIssue,
  input: unknown,
  schema: z.ZodType,
  most: number,
): ConfigProblem[] {
  const field = pathText(issue.path);
  const value = valueAt(input, issue.path);
  if (issue.code === 'unrecognized_keys')
    return unknownKeys(issue.keys.slice(0, most), issue.path, keysAt(schema, issue.path));
  if (field === '')
    return [{ field, sentence: `the whole config is ${shownValue(value)}, expected an object with keys` }];
  if (value === undefined) return [{ field, sentence: `${field} is missing, expected ${expected(issue)}` }];
  const inner = issue.code === 'invalid_union' ? meantForm(issue.errors, value) : undefined;
  if (inner !== undefined) {
    const moved = inner.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
    return moved.slice(0, most).flatMap((one) => describeIssue(one, input, schema, most));
  }
  const nearest = typeof value === 'string' ? nearestWord(value, validWords(issue)) : undefined;
  return [
    {
      field,
      sentence:
        `${field} is ${shownValue(value)}, expected ${expected(issue)}` +
        (nearest === undefined ? '' : `; did you mean "${nearest}"?`),
    },
  ];
}

/** Of forms that a key may have, the one whose own keys the value has, if one alone fits that. */
function meantForm(
  forms: readonly (readonly z.core.$ZodIssue[])[],
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const meant = forms.filter((issues) =>
    issues.every(({ code, path }) => code !== 'unrecognized_keys' || path.length > 0)
      ? issues.every(({ path }) => path.length > 0 && valueAt(value, path) !== undefined)
      : false,
  );
  if (meant.length === 1) return meant[0];
  const close = forms.filter((issues) => issues.every(({ code }) => code === 'unrecognized_keys'));
  return close.length === 1 ? close[0] : undefined;
}

/** The words that would have been accepted, where the value is one of a list of words. */
function validWords(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(validWords) : [];
}

function unknownKeys(keys: readonly string[], path: Path, known: readonly string[]): ConfigProblem[] {
  return keys.map((key) => unknownKey([...path, key], known));
}

function unknownKey(path: Path, known: readonly string[]): ConfigProblem {
  const field = pathText(path);
  const nearest = nearestWord(String(path.at(-1)), known);
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
  return { field, sentence: `${field} is no known key${hint} (known here: ${known.join(', ')})` };
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return typeWords[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value')
    return issue.values.length === 1 ? `"${String(issue.values[0])}"` : `one of ${issue.values.join(', ')}`;
  if (issue.code === 'too_small') {
    if (issue.origin === 'string' && issue.minimum === 1) return 'some text';
    return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
  }
  if (issue.code === 'too_big')
    return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === 'invalid_union') {
    const kinds = issue.errors.map((errors) => errors[0]).filter((first) => first !== undefined);
    return [...new Set(kinds.map(expected))].join(', or ');
  }
  return issue.message;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object with keys',
  record: 'an object with keys',
};

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  let at: JsonSchema | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  for (const step of path) {
    const next: unknown = withKeys(at)?.properties?.[String(step)];
    at = typeof next === 'object' && next !== null ? (next as JsonSchema) : undefined;
  }
  return Object.keys(withKeys(at)?.properties ?? {});
}

/** Of several forms, the one that has keys. */
function withKeys(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema?.properties ? schema : (schema?.anyOf?.find(({ properties }) => properties) ?? schema);
}

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

/** A value in few characters. Config modules may hold what JSON does not know. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value, 80));
  try {
    return shortened(JSON.stringify(value) ?? typeof value, 80);
  } catch {
    return typeof value;
  }
}

export function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 3)}...` : text;
}
