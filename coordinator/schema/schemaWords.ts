// What the schema of an option accepts, in words.

import type { z } from 'zod';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * All forms that the option at a path may have. Where an object has several, told apart by a key, the forms that the
 * given value names.
 */
export function schemasAt(root: JsonSchema, path: readonly PropertyKey[], input: unknown): JsonSchema[] {
  let forms = formsOf(root);
  let value = input;
  for (const step of path) {
    const given = value as Readonly<Record<PropertyKey, unknown>> | null | undefined;
    const named = forms.filter((form) => isNamedBy(form, given, step));
    forms = (named.length > 0 ? named : forms)
      .map((form) => childOf(form, step))
      .filter((child) => child !== undefined)
      .flatMap(formsOf);
    value = given?.[step];
  }
  const named = forms.filter((form) => isNamedBy(form, value, undefined));
  return named.length > 0 ? named : forms;
}

/** The keys that objects of these forms have. */
export function keysOf(forms: readonly JsonSchema[]): string[] {
  return [...new Set(forms.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

/** What is accepted, e.g. "a whole number from 1 to 64, or a list". @param given says which bound of a text is told. */
export function expectedOf(forms: readonly JsonSchema[], given: unknown): string {
  const choices = forms.flatMap(({ const: only, enum: words = [] }) => (only === undefined ? words : [only]));
  const texts = forms
    .filter((form) => form.const === undefined && form.enum === undefined)
    .map((form) => wordsFor(form, given));
  if (choices.length === 1) texts.push(JSON.stringify(choices[0]));
  if (choices.length > 1) texts.unshift(`one of ${choices.map(String).join(', ')}`);
  return [...new Set(texts)].join(', or ') || 'another value';
}

function formsOf(schema: JsonSchema): JsonSchema[] {
  const several = schema.anyOf ?? schema.oneOf;
  return several === undefined ? [schema] : several.flatMap(formsOf);
}

function childOf(form: JsonSchema, step: PropertyKey): JsonSchema | undefined {
  const rest = typeof step === 'number' ? form.items : form.additionalProperties;
  const own = typeof step === 'number' ? form.prefixItems?.[step] : ownOf(form.properties, String(step));
  const child: unknown = own ?? rest;
  return typeof child === 'object' && child !== null ? (child as JsonSchema) : undefined;
}

function ownOf(properties: JsonSchema['properties'], key: string): unknown {
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** Whether a key other than the one in question has the one word that this form has there. */
function isNamedBy(form: JsonSchema, value: unknown, asked: PropertyKey | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(form.properties ?? {}).some(([key, child]) => {
    const only = typeof child === 'object' ? child.const : undefined;
    return only !== undefined && key !== asked && (value as Record<string, unknown>)[key] === only;
  });
}

function wordsFor(form: JsonSchema, given: unknown): string {
  if (form.title !== undefined) return form.title;
  if (form.type === 'string') return textWords(form, given);
  if (form.type === 'array') return listWords(form, given);
  const range = rangeOf(form);
  const words: Readonly<Record<string, string>> = {
    integer: `a whole number${range}`,
    number: `a number${range}`,
    boolean: 'true or false',
    object: 'an object with keys',
    null: 'null',
  };
  return (typeof form.type === 'string' ? words[form.type] : undefined) ?? 'another value';
}

function textWords({ minLength = 0, maxLength = Infinity }: JsonSchema, given: unknown): string {
  if (typeof given !== 'string') return 'text';
  if (given.length > maxLength) return `at most ${maxLength} characters`;
  return given.length < minLength ? 'some text' : 'text of another form';
}

function listWords({ prefixItems, minItems = 0, maxItems = Infinity }: JsonSchema, given: unknown): string {
  if (prefixItems) return prefixItems.length === 2 ? 'a pair' : `a list of ${prefixItems.length}`;
  if (!Array.isArray(given)) return 'a list';
  if (given.length > maxItems) return `a list of at most ${maxItems} entries`;
  return given.length < minItems
    ? `a list of at least ${minItems} ${minItems === 1 ? 'entry' : 'entries'}`
    : 'a list';
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isBound = (bound: boolean | number | undefined): bound is number =>
    typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  const low = isBound(exclusiveMinimum)
    ? ` above ${exclusiveMinimum}`
    : isBound(minimum)
      ? ` from ${minimum}`
      : '';
  if (isBound(exclusiveMaximum)) return `${low}${low === '' ? '' : ' and'} below ${exclusiveMaximum}`;
  if (!isBound(maximum)) return low;
  return low === '' ? ` of at most ${maximum}` : `${low} to ${maximum}`;
}
