// A loop that comes as a module may import tfjs. It gets the worker's own: one copy, on the worker's device, and none on the
// wire.

import type * as tfjs from '@tensorflow/tfjs';

/** Where a module finds tfjs. */
const TFJS_GLOBAL = 'tabgradTfjs';

/** The text of a module that stands for the package. @param names that the package exports. */
export function providedTfjs(names: readonly string[]): string {
  const exported = names.filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default');
  return `const tf = globalThis.${TFJS_GLOBAL};\nexport default tf;\nexport const { ${exported.join(', ')} } = tf;\n`;
}

/** Puts tfjs where modules that are imported from now on look. */
export function provideTfjs(tf: typeof tfjs): void {
  Object.assign(globalThis, { [TFJS_GLOBAL]: tf });
}
