// result[tap, channel][column] = Σ over positions of image[position, tap, channel] · gradient[position][column]: the weight
// gradient. The result is small and the sum is long, so the positions are cut into parts that are summed apart and
// then added in order (sumPartials.ts).

import type { Op, StorageBinding } from '../../gpu/op.ts';
import { batchUniform } from '../kernelCall.ts';
import { positionsOf, staysInside, tapsOf } from './convolutionGeometry.ts';
import { accumulate, finishElement, writeQuad } from './finish.ts';
import { heightOf, nameOf, threadsOf, widthOf } from './productTile.ts';
import type { StagedOperand } from './stagedProduct.ts';
import {
  columnInTile,
  leftVectors,
  rightVectors,
  rowInTile,
  stagedDeclarations,
  stagedLoop,
  sums,
  threadPlace,
  vectorsOfThread,
} from './stagedProduct.ts';
import { weightReference } from './weightReference.ts';
import { arrayType, isQuads, readQuad, times } from './wgslText.ts';
import type { WeightProduct } from './weightReference.ts';

export function weightRows({ gather, channels }: Pick<WeightProduct, 'channels' | 'gather'>): number {
  return tapsOf(gather) * channels;
}

export function weightTiles(product: WeightProduct): number {
  const { columns, tile, splits } = product;
  return Math.ceil(weightRows(product) / heightOf(tile)) * Math.ceil(columns / widthOf(tile)) * splits;
}

function storageOf({ channels, columns, splits }: WeightProduct): StorageBinding[] {
  return [
    { name: 'image', type: arrayType(channels), access: 'read' },
    { name: 'gradient', type: arrayType(columns), access: 'read' },
    { name: splits === 1 ? 'result' : 'partial', type: arrayType(columns), access: 'read_write' },
  ];
}

function tilePlace(product: WeightProduct): string {
  const { columns, tile, splits, gather } = product;
  const columnTiles = Math.ceil(columns / widthOf(tile));
  const rowTiles = Math.ceil(weightRows(product) / heightOf(tile));
  return `
  let tile = group.y * groups.x + group.x;
  let part = tile / ${columnTiles * rowTiles}u;
  if (part >= ${splits}u) { return; }
  let positions = batch.examples * ${positionsOf(gather)}u;
  let firstRow = ${heightOf(tile)}u * ((tile / ${columnTiles}u) % ${rowTiles}u);
  let firstColumn = ${widthOf(tile)}u * (tile % ${columnTiles}u);
  ${threadPlace(tile)}`;
}

/** `dy`, `dx` and `channel` (with a suffix) of row `row` of the result: which tap of a position it takes. */
function decodeRow(product: WeightProduct, row: string, suffix: string): string {
  const { vertical, horizontal } = product.gather;
  const { channels } = product;
  return `
  // Rows beyond the last do the last one's work over and are not written.
  let row${suffix} = min(${row}, ${weightRows(product) - (isQuads(channels) ? 4 : 1)}u);
  let tap${suffix} = row${suffix} / ${channels}u;
  let dy${suffix} = i32(tap${suffix} / ${horizontal.taps}u) * ${vertical.step} + ${vertical.origin};
  let dx${suffix} = i32(tap${suffix} % ${horizontal.taps}u) * ${horizontal.step} + ${horizontal.origin};
  let channel${suffix} = row${suffix} % ${channels}u;`;
}

/** One element (a vector, or a scalar) of the image: `y`, `x` and `base` are in scope, `suffix` names the row. */
function readImage(product: WeightProduct, suffix: string, conditions: readonly string[]): string {
  const { gather, channels } = product;
  const { vertical, horizontal } = gather;
  const pixel = `(base + u32((y + dy${suffix}) * ${horizontal.source} + x + dx${suffix}))`;
  const index = isQuads(channels)
    ? `${pixel} * ${channels / 4}u + channel${suffix} / 4u`
    : `${pixel} * ${channels}u + channel${suffix}`;
  const bounds = [
    `(u32(y + dy${suffix}) < ${vertical.source}u)`,
    `(u32(x + dx${suffix}) < ${horizontal.source}u)`,
  ];
  const all = [...(staysInside(gather) ? [] : bounds), ...conditions];
  if (all.length === 0) return `image[${index}]`;
  const condition = all.join(' & ');
  return `select(${isQuads(channels) ? 'vec4<f32>()' : '0.0'}, image[select(0u, ${index}, ${condition})], ${condition})`;
}

/** Four rows of the image's side from the group named `name`, as a vec4. */
function readRows(product: WeightProduct, name: string, conditions: readonly string[]): string {
  if (isQuads(product.channels)) return readImage(product, name, conditions);
  return `vec4<f32>(${[0, 1, 2, 3].map((u) => readImage(product, `${name}_${u}`, conditions)).join(', ')})`;
}

function decodeRows(product: WeightProduct, row: string, name: string): string {
  if (isQuads(product.channels)) return decodeRow(product, row, name);
  return times(4, (u) => decodeRow(product, `(${row}) + ${u}u`, `${name}_${u}`));
}

function stagedImage(product: WeightProduct): StagedOperand {
  const { tile, gather } = product;
  const groups = heightOf(tile) / 4;
  const count = vectorsOfThread(leftVectors(tile), tile);
  const threads = threadsOf(tile);
  // Where a round of the threads fills whole rows of the block, all of a thread's vectors are of the same rows.
  const nameOfVector = (i: number): string => (threads % groups === 0 ? '0' : `${i}`);
  const setups = threads % groups === 0 ? 1 : count;
  const setup = times(setups, (i) =>
    decodeRows(product, `firstRow + 4u * ((lane + ${i * threads}u) % ${groups}u)`, `${i}`),
  );
  const { vertical, horizontal } = gather;
  const fetch = times(
    count,
    (i) => `{
      let place = t * ${tile.depth}u + (lane + ${i * threads}u) / ${groups}u;
      let within = place % ${positionsOf(gather)}u;
      let y = i32(within / ${horizontal.grid}u) * ${vertical.stride};
      let x = i32(within % ${horizontal.grid}u) * ${horizontal.stride};
      let base = (place / ${positionsOf(gather)}u) * ${vertical.source * horizontal.source}u;
      left${i} = ${readRows(product, nameOfVector(i), ['(place < positions)'])};
    }`,
  );
  return { setup, fetch };
}

function stagedGradient({ tile, columns }: WeightProduct): StagedOperand {
  const width = widthOf(tile) / 4;
  const guarded = columns % widthOf(tile) === 0 || !isQuads(columns) ? '' : ` & (column < ${columns}u)`;
  const fetch = times(vectorsOfThread(rightVectors(tile), tile), (i) => {
    const slot = `(lane + ${i * threadsOf(tile)}u)`;
    const condition = `((place < positions)${guarded})`;
    return `{
      let place = t * ${tile.depth}u + ${slot} / ${width}u;
      let column = firstColumn + 4u * (${slot} % ${width}u);
      right${i} = ${readQuad('gradient', columns, { row: 'place', column: 'column', condition })};
    }`;
  });
  return { setup: '', fetch };
}

function stagedBody(product: WeightProduct): string {
  const { tile, splits } = product;
  return `
  let blocks = (positions + ${tile.depth - 1}u) / ${tile.depth}u;
  let firstBlock = blocks * part / ${splits}u;
  let endBlock = blocks * (part + 1u) / ${splits}u;
  ${stagedLoop('alongRows', tile, { left: stagedImage(product), right: stagedGradient(product) })}`;
}

/** What names a thread's rows on the image's side: groups of four neighbours, or single ones. */
function rowNames(product: WeightProduct): string[] {
  const groups = Array.from({ length: product.tile.rows / 4 }, (_, g) => `${g}`);
  return isQuads(product.channels) ? groups : groups.flatMap((g) => [0, 1, 2, 3].map((u) => `${g}_${u}`));
}

/**
 * Straight from global memory, line by line of the output's gradient, so that what is the same all along a line is worked
 * out once: where the tap's line begins in the image, and whether it is one of the image's.
 */
function registersBody(product: WeightProduct): string {
  const { tile, splits, channels, columns, gather } = product;
  const { vertical, horizontal } = gather;
  const groups = tile.rows / 4;
  const quads = tile.columns / 4;
  const unit = isQuads(channels) ? 4 : 1;
  const inside = staysInside(gather);
  const right = times(quads, (j) => {
    const column = `(firstColumn + ${columnInTile(tile, j)})`;
    const guarded = columns % widthOf(tile) === 0 || !isQuads(columns);
    const condition = guarded ? {} : { condition: `(${column} < ${columns}u)` };
    return `let b${j} = ${readQuad('gradient', columns, { row: 'place', column, ...condition })};`;
  });
  const startOfLine = (name: string): string => `
    let line${name} = (base + u32((y + dy${name}) * ${horizontal.source} + dx${name})) * ${channels / unit}u + channel${name} / ${unit}u;
    ${inside ? '' : `let isLine${name} = u32(y + dy${name}) < ${vertical.source}u;`}`;
  const read = (name: string): string => {
    const at = `line${name} + u32(x) * ${channels / unit}u`;
    if (inside) return `image[${at}]`;
    const condition = `isLine${name} & (u32(x + dx${name}) < ${horizontal.source}u)`;
    const zero = unit === 4 ? 'vec4<f32>()' : '0.0';
    return `select(${zero}, image[select(0u, ${at}, ${condition})], ${condition})`;
  };
  const readGroup = (g: number): string =>
    unit === 4 ? read(`${g}`) : `vec4<f32>(${[0, 1, 2, 3].map((u) => read(`${g}_${u}`)).join(', ')})`;
  const loop = horizontal.grid === 1 ? 'let j = 0u;' : `for (var j = 0u; j < ${horizontal.grid}u; j++)`;
  return `
  ${times(groups, (g) => decodeRows(product, `firstRow + ${rowInTile('alongRows', tile, 4 * g)}`, `${g}`))}
  let lines = batch.examples * ${vertical.grid}u;
  let endLine = lines * (part + 1u) / ${splits}u;
  for (var line = lines * part / ${splits}u; line < endLine; line++) {
    let y = i32(line % ${vertical.grid}u) * ${vertical.stride};
    let base = (line / ${vertical.grid}u) * ${vertical.source * horizontal.source}u;
    ${rowNames(product).map(startOfLine).join('')}
    ${loop} {
      let x = i32(j) * ${horizontal.stride};
      let place = line * ${horizontal.grid}u + j;
      ${right}
      ${times(groups, (g) => `let a${g} = ${readGroup(g)};`)}
      ${times(tile.rows, (r) => times(quads, (q) => `sum${r}_${q} += a${r >> 2}[${r & 3}] * b${q};`))}
    }
  }`;
}

function writeSums(product: WeightProduct): string {
  const { tile, columns, splits } = product;
  const rows = weightRows(product);
  const stride = (rows * columns) / (isQuads(columns) ? 4 : 1);
  return times(tile.rows, (r) => {
    const quads = times(tile.columns / 4, (j) =>
      writeQuad(
        columns,
        { row: 'row', column: `(firstColumn + ${columnInTile(tile, j)})`, value: `sum${r}_${j}` },
        (element) =>
          splits === 1
            ? finishElement(accumulate, element)
            : `partial[part * ${stride}u + ${element.index}] = ${element.value};`,
      ),
    );
    return `{ let row = firstRow + ${rowInTile('alongRows', tile, r)}; if (row < ${rows}u) { ${quads} } }`;
  });
}

export function weightProductOp(product: WeightProduct): Op {
  const { tile } = product;
  const isStaged = tile.memory === 'workgroup';
  return {
    name: `${product.name} ${nameOf(tile)}`,
    storage: storageOf(product),
    uniforms: [batchUniform],
    workgroupSize: threadsOf(tile),
    declarations: isStaged ? stagedDeclarations(tile) : '',
    body: `${tilePlace(product)}
  ${sums(tile)}
  ${isStaged ? stagedBody(product) : registersBody(product)}
  ${writeSums(product)}`,
    reference: (inputs) => weightReference(product, inputs),
  };
}
