// A search space as JSON: the declarative form of config files ({ "max_depth": { "grid": [4, 6, 8] } }), which
// experiment.json uses too.

import {
  choice,
  Domain,
  gridSearch,
  loguniform,
  qloguniform,
  qrandint,
  quniform,
  randint,
  uniform,
} from './domain.ts';
import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { SearchSpaceError } from './tuneErrors.ts';
import type { DomainForm } from './domain.ts';
import type { ParamSpace } from './searchSpace.ts';

interface DeclarativeKind {
  /** What the list beside the key has. */
  readonly list: string;
  /** Undefined when the list does not fit. */
  make(list: readonly unknown[]): Domain | undefined;
}

/** A function of two numbers, or of two and a step. */
function ofNumbers(make: (low: number, high: number, step: number) => Domain, list: string): DeclarativeKind {
  const most = list.split(',').length;
  return {
    list,
    make(values) {
      const [low, high, step = 1] = values;
      if (values.length > most || typeof low !== 'number' || typeof high !== 'number') return undefined;
      return typeof step === 'number' ? make(low, high, step) : undefined;
    },
  };
}

/** Domains of a declarative space by their key. */
export const declarativeKinds: Readonly<Record<string, DeclarativeKind>> = {
  uniform: ofNumbers(uniform, '[low, high]'),
  loguniform: ofNumbers(loguniform, '[low, high]'),
  quniform: ofNumbers(quniform, '[low, high, step]'),
  qloguniform: ofNumbers(qloguniform, '[low, high, step]'),
  randint: ofNumbers(randint, '[low, high], high not included'),
  qrandint: ofNumbers(qrandint, '[low, high, step]'),
  choice: { list: '[value, …]', make: choice },
  grid: { list: '[value, …]', make: gridSearch },
};

/** Names of the same in scripts and in Ray, by which a config may call it. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['gridSearch', 'grid'],
  ['grid_search', 'grid'],
]);

/**
 * An object with one such key and a list is a domain; everything else stays as it is.
 * @throws SearchSpaceError where the list does not fit the key, or the key is nearly one of them.
 */
export function spaceFromJson(value: unknown, path = 'paramSpace'): unknown {
  if (Array.isArray(value)) return value.map((entry, index) => spaceFromJson(entry, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [key, list] = entries[0] ?? [];
  if (key !== undefined && entries.length === 1 && Array.isArray(list)) {
    const kind = declarativeKinds[key];
    const made = kind?.make(list);
    if (made) return made;
    const near = kind ? undefined : (otherNames.get(key) ?? nearestWord(key, Object.keys(declarativeKinds)));
    if (kind) {
      throw new SearchSpaceError(`${path}.${key} is ${JSON.stringify(list)}; expected ${kind.list}.`, {
        field: `${path}.${key}`,
      });
    }
    if (near !== undefined) {
      throw new SearchSpaceError(`${path}.${key} is no kind of search space; did you mean ${near}?`, {
        field: `${path}.${key}`,
      });
    }
  }
  return Object.fromEntries(entries.map(([name, entry]) => [name, spaceFromJson(entry, `${path}.${name}`)]));
}

/** Undefined when the space has a value that JSON would not give back. */
export function spaceToJson(space: ParamSpace): unknown {
  try {
    const json = toJson(space);
    return JSON.parse(JSON.stringify(json));
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

class NotJson extends Error {}

function toJson(value: unknown): unknown {
  if (value instanceof Domain) return formToJson(value.form);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry)]));
  }
  throw new NotJson();
}

function formToJson(form: DomainForm): unknown {
  if (form.kind === 'sampleFrom') throw new NotJson();
  if (form.kind !== 'number') return { [form.kind]: form.values.map(toJson) };
  const name = form.written.slice(0, form.written.indexOf('('));
  const values = [form.low, name === 'randint' ? form.high + 1 : form.high];
  return { [name]: name.startsWith('q') ? [...values, form.step] : values };
}
