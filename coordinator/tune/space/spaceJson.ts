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
import type { DomainForm } from './domain.ts';
import type { ParamSpace } from './searchSpace.ts';

type Maker = (...values: never[]) => Domain;

/** Functions of a declarative space by their key, and whether the list is one argument or several. */
const makers: Readonly<Record<string, { readonly make: Maker; readonly takesList: boolean }>> = {
  uniform: { make: uniform as Maker, takesList: false },
  loguniform: { make: loguniform as Maker, takesList: false },
  quniform: { make: quniform as Maker, takesList: false },
  qloguniform: { make: qloguniform as Maker, takesList: false },
  randint: { make: randint as Maker, takesList: false },
  qrandint: { make: qrandint as Maker, takesList: false },
  choice: { make: choice as Maker, takesList: true },
  grid: { make: gridSearch as Maker, takesList: true },
};

export const declarativeKinds: readonly string[] = Object.keys(makers);

/** An object with one such key and a list is a domain; everything else stays as it is. */
export function spaceFromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spaceFromJson);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [key, list] = entries[0] ?? [];
  const maker = key === undefined ? undefined : makers[key];
  if (entries.length === 1 && maker && Array.isArray(list)) {
    const values = list as never[];
    return maker.takesList ? maker.make(values as never) : maker.make(...values);
  }
  return Object.fromEntries(entries.map(([name, entry]) => [name, spaceFromJson(entry)]));
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
