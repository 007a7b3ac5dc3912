// What may stand for a value in a search space, under Ray's names. A domain only says what it is: the space checks it,
// because only the space knows the path that a message should name.

/** Whole and real numbers are one kind: steps count from zero, as Ray rounds. */
export interface NumberForm {
  readonly kind: 'number';
  readonly low: number;
  /** Included; for `randint` the last whole number. */
  readonly high: number;
  readonly log: boolean;
  /** Values are multiples of it; undefined for real numbers. */
  readonly step: number | undefined;
  /** How the owner wrote it, for messages. */
  readonly written: string;
}

export interface ListForm {
  readonly kind: 'choice' | 'grid';
  readonly values: readonly unknown[];
}

export interface SampleFromForm {
  readonly kind: 'sampleFrom';
  readonly sample: (config: Readonly<Record<string, unknown>>, random: () => number) => unknown;
}

export type DomainForm = NumberForm | ListForm | SampleFromForm;

/** A place of a search space that each trial fills with a value of its own. */
export class Domain {
  /** What it draws values from. */
  readonly form: DomainForm;

  /** Made by choice, uniform and the others. */
  constructor(form: DomainForm) {
    this.form = form;
  }
}

function numbers(
  written: string,
  low: number,
  high: number,
  rest: { readonly log?: boolean; readonly step?: number } = {},
): Domain {
  return new Domain({ kind: 'number', low, high, log: rest.log ?? false, step: rest.step, written });
}

/** A real number between `low` and `high`, all as likely. */
export function uniform(low: number, high: number): Domain {
  return numbers(`uniform(${low}, ${high})`, low, high);
}

/** A real number whose logarithm is uniform; `low` is above zero. */
export function loguniform(low: number, high: number): Domain {
  return numbers(`loguniform(${low}, ${high})`, low, high, { log: true });
}

/** A multiple of `q` between `low` and `high`, both included and multiples of `q` themselves. */
export function quniform(low: number, high: number, q: number): Domain {
  return numbers(`quniform(${low}, ${high}, ${q})`, low, high, { step: q });
}

/** A multiple of `q` whose logarithm is about uniform. */
export function qloguniform(low: number, high: number, q: number): Domain {
  return numbers(`qloguniform(${low}, ${high}, ${q})`, low, high, { log: true, step: q });
}

/** A whole number from `low` up to, but not including, `high`. */
export function randint(low: number, high: number): Domain {
  return numbers(`randint(${low}, ${high})`, low, high - 1, { step: 1 });
}

/**
 * A multiple of the whole number `q` from `low` to `high`, which is included (Ray's rule: unlike randint). Bounds between
 * two multiples are moved inside, as Ray does for whole numbers and for no others.
 */
export function qrandint(low: number, high: number, q = 1): Domain {
  const [least, most] = [Math.ceil(low / q) * q, Math.floor(high / q) * q];
  // What is wrong is told in the owner's own words.
  if (!(q > 0 && least <= most)) return numbers(`qrandint(${low}, ${high}, ${q})`, low, high, { step: q });
  return numbers(`qrandint(${least}, ${most}, ${q})`, least, most, { step: q });
}

/** One of the values, all as likely. */
export function choice(values: readonly unknown[]): Domain {
  return new Domain({ kind: 'choice', values });
}

/** Every one of the values, combined with every one of the other gridSearches. */
export function gridSearch(values: readonly unknown[]): Domain {
  return new Domain({ kind: 'grid', values });
}

/**
 * A value that is computed from the rest of the trial's config (what comes before it in the space is filled in).
 * @param sample uses `random`, numbers in [0, 1), for chance: then the same seed gives the same trials.
 */
export function sampleFrom(sample: SampleFromForm['sample']): Domain {
  return new Domain({ kind: 'sampleFrom', sample });
}
