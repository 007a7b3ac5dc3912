// The kinds of gradients: what blocks, checks and scales must know of each. Its formula is an op (ops/gradientFormulas.ts).

interface GradientKindDefinition {
  /**
   * "classes": integers from 0. "margins": numbers in margin units within LABEL_LIMIT, as are gradients; where a run is wide
   * they have two limbs, and so have margins.
   */
  readonly labels: 'classes' | 'margins';
  /** "classes": a margin and a tree for each class. */
  readonly outputs: 'one' | 'classes';
}

const kinds = {
  logistic: { labels: 'classes', outputs: 'one' },
  softmax: { labels: 'classes', outputs: 'classes' },
  squaredError: { labels: 'margins', outputs: 'one' },
} as const satisfies Readonly<Record<string, GradientKindDefinition>>;

export type GradientKind = keyof typeof kinds;
export const gradientKinds = Object.keys(kinds) as readonly GradientKind[];

/** Labels in margin units stay within this, so that margin - label fits 31 bits. */
export const LABEL_LIMIT = 2 ** 28;

/** Whether labels are numbers in margin units, and not classes. */
export function hasMarginLabels(kind: GradientKind): boolean {
  return kinds[kind].labels === 'margins';
}

/** Whether rows have a margin for each class. */
export function hasClassOutputs(kind: GradientKind): boolean {
  return kinds[kind].outputs === 'classes';
}

/** Least and largest label of a block. */
export function labelLimits(kind: GradientKind, outputs: number): readonly [lowest: number, highest: number] {
  if (hasMarginLabels(kind)) return [-LABEL_LIMIT, LABEL_LIMIT];
  return [0, hasClassOutputs(kind) ? outputs - 1 : 1];
}
