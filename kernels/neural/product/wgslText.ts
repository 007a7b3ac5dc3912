// Small pieces of WGSL that all product kernels are written with.

/** `text(0) … text(count − 1)`, a line each: loops that have to be unrolled so that sums stay in registers. */
export function times(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join('\n');
}

/** Channels that are a multiple of four are read and written four at a time. */
export function isQuads(channels: number): boolean {
  return channels % 4 === 0;
}

export function arrayType(channels: number): string {
  return isQuads(channels) ? 'array<vec4<f32>>' : 'array<f32>';
}

/**
 * Four neighbours of row-major `array` [..][width] from column `column` (a multiple of 4) of row `row`; zeros where
 * `condition` is false and beyond the last column. Reads element 0 instead, so that no branch is needed.
 */
export function readQuad(
  array: string,
  width: number,
  place: { readonly row: string; readonly column: string; readonly condition?: string },
): string {
  const { row, column, condition } = place;
  if (isQuads(width)) {
    const index = `(${row}) * ${width / 4}u + (${column}) / 4u`;
    if (condition === undefined) return `${array}[${index}]`;
    return `select(vec4<f32>(), ${array}[select(0u, ${index}, ${condition})], ${condition})`;
  }
  const elements = [0, 1, 2, 3].map((i) => {
    const inside = `${condition === undefined ? '' : `${condition} & `}((${column}) + ${i}u < ${width}u)`;
    return `select(0.0, ${array}[select(0u, (${row}) * ${width}u + (${column}) + ${i}u, ${inside})], ${inside})`;
  });
  return `vec4<f32>(${elements.join(', ')})`;
}
