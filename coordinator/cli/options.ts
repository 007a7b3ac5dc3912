// A thin typed layer over node:util parseArgs. An option is defined once; parsing, validation, help and docs/cli.md
// all read that definition, and the type of the parsed values is inferred from it.

import { parseArgs } from 'node:util';
import { BadArgumentError, didYouMean, UnknownOptionError } from './cliErrors.ts';

interface ValueOption {
  readonly help: string;
  /** Stands for the value in help, e.g. DIR. */
  readonly placeholder: string;
  readonly required?: true;
  /** Environment variable that is read where the flag is absent. */
  readonly env?: string;
}

export type OptionSpec =
  | { readonly type: 'flag'; readonly help: string }
  | (ValueOption & { readonly type: 'text'; readonly default?: string })
  /** May be given several times. */
  | (Omit<ValueOption, 'env' | 'required'> & { readonly type: 'texts' })
  | (ValueOption & { readonly type: 'url'; readonly default?: string })
  | (ValueOption & {
      readonly type: 'integer';
      readonly min: number;
      readonly max: number;
      readonly default?: number;
    })
  /** May have a fraction. */
  | (ValueOption & {
      readonly type: 'number';
      readonly min: number;
      readonly max: number;
      readonly default?: number;
    })
  | (Omit<ValueOption, 'placeholder'> & {
      readonly type: 'choice';
      readonly choices: readonly string[];
      readonly default?: string;
    });

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<S extends OptionSpec> = S extends { type: 'flag' }
  ? boolean
  : S extends { type: 'integer' | 'number' }
    ? number
    : S extends { type: 'texts' }
      ? readonly string[]
      : S extends { type: 'choice'; choices: readonly (infer C)[] }
        ? C
        : string;

type AlwaysThere<S extends OptionSpec> = S extends
  | { type: 'flag' | 'texts' }
  | { default: string | number }
  | { required: true }
  ? true
  : false;

export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: AlwaysThere<O[K]> extends true ? ValueOf<O[K]> : ValueOf<O[K]> | undefined;
};

export interface ParsedArguments<O extends OptionSpecs> {
  readonly values: OptionValues<O>;
  readonly positionals: readonly string[];
}

/**
 * Parses the words after a command's name.
 * @param command as it is typed, for messages.
 * @throws UnknownOptionError with the nearest option, BadArgumentError naming the option and what it expects.
 */
export function parseOptions<const O extends OptionSpecs>(
  command: string,
  specs: O,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedArguments<O> {
  const { tokens } = parseArgs({
    args: [...words],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [
        name,
        { type: spec.type === 'flag' ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  const values: Record<string, string | number | boolean | readonly string[] | undefined> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw new UnknownOptionError(token.rawName, command, Object.keys(specs));
    const value = readToken(token.name, spec, token.value, token.inlineValue === true);
    const earlier = values[token.name];
    values[token.name] =
      spec.type === 'texts' ? [...(Array.isArray(earlier) ? earlier : []), String(value)] : value;
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (values[name] !== undefined) continue;
    values[name] = absentValue(command, name, spec, env);
  }
  return { values: values as OptionValues<O>, positionals };
}

function readToken(name: string, spec: OptionSpec, value: string | undefined, inline: boolean) {
  if (spec.type === 'flag') {
    if (value !== undefined)
      throw new BadArgumentError(`--${name} is a switch and takes no value, but got "${value}".`);
    return true;
  }
  // parseArgs lets a string option swallow the next flag; a value that starts with "-" must be written --name=value.
  const follows = value !== undefined && (inline || !value.startsWith('-') || value.length === 1);
  if (!follows)
    throw new BadArgumentError(
      `--${name} expects ${expectation(spec)}, but no value follows it.` +
        (value === undefined ? '' : ` A value that begins with "-" is written --${name}=VALUE.`),
    );
  return readValue(`--${name}`, spec, value);
}

function absentValue(
  command: string,
  name: string,
  spec: OptionSpec,
  env: Readonly<Record<string, string | undefined>>,
) {
  if (spec.type === 'flag') return false;
  if (spec.type === 'texts') return [];
  const fromEnv = spec.env === undefined ? undefined : env[spec.env];
  if (spec.env !== undefined && fromEnv !== undefined && fromEnv !== '')
    return readValue(`environment variable ${spec.env}`, spec, fromEnv);
  if (spec.default !== undefined) return spec.default;
  if (spec.required === true)
    throw new BadArgumentError(
      `"${command}" needs --${name} ${placeholderOf(spec)}: ${spec.help} See "${command} --help".`,
    );
  return undefined;
}

function readValue(where: string, spec: Exclude<OptionSpec, { type: 'flag' }>, value: string) {
  switch (spec.type) {
    case 'text':
    case 'texts':
      if (value === '') throw new BadArgumentError(`${where} expects ${expectation(spec)}, but it is empty.`);
      return value;
    case 'integer': {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= spec.min && number <= spec.max))
        throw new BadArgumentError(`${where} expects ${expectation(spec)}, but got "${value}".`);
      return number;
    }
    case 'number': {
      const number = /^(\d{1,15}|\d{0,15}\.\d{1,15})$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= spec.min && number <= spec.max))
        throw new BadArgumentError(`${where} expects ${expectation(spec)}, but got "${value}".`);
      return number;
    }
    case 'choice':
      if (!spec.choices.includes(value))
        throw new BadArgumentError(
          `${where} expects ${expectation(spec)}, but got "${value}".${didYouMean(value, spec.choices)}`,
        );
      return value;
    case 'url':
      break;
  }
  if (!/^https?:$/.test(URL.canParse(value) ? new URL(value).protocol : ''))
    throw new BadArgumentError(`${where} expects ${expectation(spec)}, but got "${value}".`);
  return value;
}

/** What a value must be, in words. */
function expectation(spec: OptionSpec): string {
  switch (spec.type) {
    case 'flag':
      return 'no value';
    case 'integer':
      return `a whole number from ${spec.min} to ${spec.max}`;
    case 'number':
      return `a number from ${spec.min} to ${spec.max}`;
    case 'choice':
      return spec.choices.length === 1
        ? String(spec.choices[0])
        : `${spec.choices.slice(0, -1).join(', ')} or ${spec.choices.at(-1)}`;
    case 'url':
      return 'an address like http://127.0.0.1:7070';
    case 'text':
    case 'texts':
      break;
  }
  return `a value (${spec.placeholder})`;
}

/** The value's name in help: DIR, or node|deno|browser. */
export function placeholderOf(spec: OptionSpec): string {
  if (spec.type === 'flag') return '';
  return spec.type === 'choice' ? spec.choices.join('|') : spec.placeholder;
}
