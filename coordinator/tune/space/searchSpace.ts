// A search space: a config with domains nested anywhere in it. A trial is a value for each domain; this file finds the
// domains, refuses those that no value fits, and puts a trial's values in their places.

import { SearchSpaceError } from './tuneErrors.ts';
import { Domain, type DomainForm } from './domain.ts';

export interface Dimension {
  /** e.g. "params.max_depth", or "layers[0].units". */
  readonly path: string;
  readonly form: DomainForm;
}

/**
 * Values by path, plain JSON: numbers; for choice and gridSearch the position in their list, which may hold anything;
 * for sampleFrom what it returned.
 */
export type Assignment = Readonly<Record<string, unknown>>;

export type ParamSpace = Readonly<Record<string, unknown>>;

export interface SearchSpace {
  readonly space: ParamSpace;
  /** In the order of the space. */
  readonly dimensions: readonly Dimension[];
}

/** @throws SearchSpaceError naming the path of what can't be. */
export function resolveSpace(space: ParamSpace): SearchSpace {
  if (!isNested(space) || Array.isArray(space)) {
    throw new SearchSpaceError(
      'paramSpace is no object: expected settings of the trainable, some as domains.',
      {
        field: 'paramSpace',
      },
    );
  }
  const dimensions: Dimension[] = [];
  visit(space, '', (path, { form }) => {
    checkForm(path, form);
    dimensions.push({ path, form });
  });
  return { space, dimensions };
}

/** The config of a trial. Values of sampleFrom are taken from the assignment. */
export function configOf(
  { space, dimensions }: SearchSpace,
  assignment: Assignment,
): Record<string, unknown> {
  const values = new Map(
    dimensions.map(({ path, form }) => [
      path,
      form.kind === 'choice' || form.kind === 'grid'
        ? form.values[assignment[path] as number]
        : assignment[path],
    ]),
  );
  return fill(space, '', values) as Record<string, unknown>;
}

/** What a trial's values are, by path, as people read them. */
export function shownValues({ dimensions }: SearchSpace, assignment: Assignment): Record<string, unknown> {
  return Object.fromEntries(
    dimensions.map(({ path, form }) => {
      const value = assignment[path];
      return [path, form.kind === 'choice' || form.kind === 'grid' ? form.values[value as number] : value];
    }),
  );
}

function fill(value: unknown, path: string, values: ReadonlyMap<string, unknown>): unknown {
  if (value instanceof Domain) return values.get(path);
  if (!isNested(value)) return value;
  if (Array.isArray(value)) return value.map((entry, index) => fill(entry, `${path}[${index}]`, values));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, fill(entry, below(path, key), values)]),
  );
}

function visit(value: unknown, path: string, found: (path: string, domain: Domain) => void): void {
  if (value instanceof Domain) return found(path, value);
  if (!isNested(value)) return;
  for (const [key, entry] of Object.entries(value)) {
    visit(entry, Array.isArray(value) ? `${path}[${key}]` : below(path, key), found);
  }
}

function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Plain objects and lists are looked into; datasets, checkpoints and the like are values. */
function isNested(value: unknown): value is object {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function checkForm(path: string, form: DomainForm): void {
  const refuse = (wrong: string): never => {
    throw new SearchSpaceError(`paramSpace.${path} ${wrong}.`, { field: `paramSpace.${path}` });
  };
  if (form.kind === 'sampleFrom') {
    if (typeof form.sample !== 'function') refuse('is sampleFrom of something that is no function');
    return;
  }
  if (form.kind !== 'number') {
    const name = form.kind === 'grid' ? 'gridSearch' : 'choice';
    if (!Array.isArray(form.values) || form.values.length === 0) {
      refuse(`is ${name} of no values; expected a list of at least one`);
    }
    for (const value of form.values) {
      visit(value, path, () => refuse(`has a search space inside its ${name}; expected plain values`));
    }
    return;
  }
  const { low, high, log, step, written } = form;
  if (!Number.isFinite(low) || !Number.isFinite(high)) refuse(`is ${written}; expected finite bounds`);
  if (low > high) refuse(`is ${written}, which no number fits; expected the lower bound first`);
  if (low === high && step === undefined) refuse(`is ${written}, which is one number; give that number`);
  if (log && low <= 0) refuse(`is ${written}; a logarithm needs bounds above zero`);
  if (step === undefined) return;
  if (!(step > 0) || !Number.isFinite(step)) refuse(`is ${written}; expected a step above zero`);
  if (written.startsWith('qrandint') && !Number.isInteger(step))
    refuse(`is ${written}; expected a whole step`);
  const isWhole = (bound: number): boolean => Math.abs(bound / step - Math.round(bound / step)) < 1e-9;
  if (!isWhole(low) || !isWhole(high)) refuse(`is ${written}; expected bounds that are multiples of ${step}`);
}
