// The sums of a tree's root, as they are compared: members tell the coordinator what each said of them where that differs.

import type { NodeSums } from '../split.ts';

/** Of members that search no feature, and tell no sums. */
export const NO_ROOT = '';

/** @param root undefined where none was told. */
export function rootText(root: NodeSums | undefined): string {
  if (root === undefined) return NO_ROOT;
  return [root.g, root.h, root.low?.g, root.low?.h].filter((sum) => sum !== undefined).join('/');
}
