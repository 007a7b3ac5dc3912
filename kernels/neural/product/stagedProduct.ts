// The loop of a product whose blocks go through workgroup memory. While a block is multiplied the next one is on its way
// from global memory into registers; with two buffers it is also stored meanwhile, which saves a barrier a block.

import type { ProductTile } from './productTile.ts';
import { heightOf, threadsOf, widthOf } from './productTile.ts';
import { times } from './wgslText.ts';

/** How the threads of a workgroup fetch a block of one matrix, each some vectors of four. */
export interface StagedOperand {
  /** Statements before the loop: what each of a thread's vectors keeps from block to block. */
  readonly setup: string;
  /** Statements that assign `left<i>` or `right<i>` for the thread's vectors of the block number `t`. */
  readonly fetch: string;
  /** Vectors are fetched in squares of four rows by four columns and stored turned. */
  readonly turned?: boolean;
}

/** How the left matrix lies in workgroup memory. */
export type LeftLayout =
  /** [row][inner / 4]: vectors along the inner dimension. A thread's rows are `threadRows` apart. */
  | 'alongInner'
  /** [inner][row / 4]: vectors along the rows. A thread has groups of four rows, `threadRows` groups apart. */
  | 'alongRows';

export function leftVectors(tile: ProductTile): number {
  return (tile.depth * heightOf(tile)) / 4;
}

export function rightVectors(tile: ProductTile): number {
  return (tile.depth * widthOf(tile)) / 4;
}

/** Squares of four vectors that one thread fetches. */
export function squaresOfThread(tile: ProductTile): number {
  return Math.ceil(leftVectors(tile) / 4 / threadsOf(tile));
}

/** As \`store\` does, but square i of the thread (vectors 4i to 4i + 3, four rows) with rows and columns exchanged. */
function storeTurned(side: number, tile: ProductTile): string {
  const [threads, squares] = [threadsOf(tile), leftVectors(tile) / 4];
  const [quads, groups] = [tile.depth / 4, heightOf(tile) / 4];
  return times(squaresOfThread(tile), (i) => {
    const slot = `(lane + ${i * threads}u)`;
    const assign = times(4, (u) => {
      const row = [0, 1, 2, 3].map((v) => `left${4 * i + v}[${u}]`).join(', ');
      return `left${side}Block[(4u * (${slot} % ${quads}u) + ${u}u) * ${groups}u + ${slot} / ${quads}u] = vec4<f32>(${row});`;
    });
    return (i + 1) * threads > squares ? `if (${slot} < ${squares}u) { ${assign} }` : assign;
  });
}

export function vectorsOfThread(vectors: number, tile: ProductTile): number {
  return Math.ceil(vectors / threadsOf(tile));
}

/** Row of the tile that is a thread's row number `row`. */
export function rowInTile(layout: LeftLayout, tile: ProductTile, row: number): string {
  if (layout === 'alongInner') return `(threadRow + ${row * tile.threadRows}u)`;
  return `(4u * (threadRow + ${(row >> 2) * tile.threadRows}u) + ${row & 3}u)`;
}

/** First column of the tile that is in a thread's vector number `quad`. */
export function columnInTile(tile: ProductTile, quad: number): string {
  return `(4u * (threadColumn + ${quad * tile.threadColumns}u))`;
}

export function sums(tile: ProductTile): string {
  return times(tile.rows, (r) => times(tile.columns / 4, (j) => `var sum${r}_${j} = vec4<f32>();`));
}

/** `threadRow` and `threadColumn` of the invocation. */
export function threadPlace({ neighbours, threadRows, threadColumns }: ProductTile): string {
  const places: Readonly<Record<ProductTile['neighbours'], readonly [row: string, column: string]>> = {
    columns: [`lane / ${threadColumns}u`, `lane % ${threadColumns}u`],
    rows: [`lane % ${threadRows}u`, `lane / ${threadRows}u`],
    blocks: [
      `4u * (lane / ${4 * threadColumns}u) + (lane % 32u) / 8u`,
      `8u * ((lane / 32u) % ${threadColumns / 8}u) + lane % 8u`,
    ],
  };
  const [row, column] = places[neighbours];
  return `let threadRow = ${row}; let threadColumn = ${column};`;
}

/** Arrays of their own for each buffer: with indices that don't depend on it, compilers see that all are in bounds. */
export function stagedDeclarations(tile: ProductTile): string {
  return times(
    tile.buffers,
    (side) => `
var<workgroup> left${side}Block: array<vec4<f32>, ${leftVectors(tile)}>;
var<workgroup> right${side}Block: array<vec4<f32>, ${rightVectors(tile)}>;`,
  );
}

function store(name: 'left' | 'right', side: number, vectors: number, tile: ProductTile): string {
  const threads = threadsOf(tile);
  return times(vectorsOfThread(vectors, tile), (i) => {
    const slot = `lane + ${i * threads}u`;
    const assign = `${name}${side}Block[${slot}] = ${name}${i};`;
    return (i + 1) * threads > vectors ? `if (${slot} < ${vectors}u) { ${assign} }` : assign;
  });
}

/** Adds the product of the block in buffer `side` to the sums. */
function multiply(layout: LeftLayout, side: number, tile: ProductTile): string {
  const { rows, depth, threadRows, threadColumns } = tile;
  const quads = tile.columns / 4;
  const rightRow = widthOf(tile) / 4;
  const right = (inner: string): string =>
    times(
      quads,
      (j) => `let b${j} = right${side}Block[${inner} * ${rightRow}u + threadColumn + ${j * threadColumns}u];`,
    );
  if (layout === 'alongInner') {
    return `
    for (var q = 0u; q < ${depth / 4}u; q++) {
      ${times(rows, (r) => `let a${r} = left${side}Block[${rowInTile(layout, tile, r)} * ${depth / 4}u + q];`)}
      ${times(
        4,
        (u) => `{
        ${right(`(4u * q + ${u}u)`)}
        ${times(rows, (r) => times(quads, (j) => `sum${r}_${j} += a${r}[${u}] * b${j};`))}
      }`,
      )}
    }`;
  }
  return `
    for (var k = 0u; k < ${depth}u; k++) {
      ${times(rows / 4, (g) => `let a${g} = left${side}Block[k * ${heightOf(tile) / 4}u + threadRow + ${g * threadRows}u];`)}
      ${right('k')}
      ${times(rows, (r) => times(quads, (j) => `sum${r}_${j} += a${r >> 2}[${r & 3}] * b${j};`))}
    }`;
}

/** Sums over blocks `firstBlock` to before `endBlock` (both uniform over the workgroup). */
export function stagedLoop(
  layout: LeftLayout,
  tile: ProductTile,
  operands: { readonly left: StagedOperand; readonly right: StagedOperand },
): string {
  const { left, right } = operands;
  const vectors = { left: leftVectors(tile), right: rightVectors(tile) };
  const fetch = `${left.fetch}\n${right.fetch}`;
  const storeIn = (side: number): string =>
    `${left.turned === true ? storeTurned(side, tile) : store('left', side, vectors.left, tile)}\n${store('right', side, vectors.right, tile)}`;
  const opening = `
  ${left.setup}
  ${right.setup}
  ${times(left.turned === true ? 4 * squaresOfThread(tile) : vectorsOfThread(vectors.left, tile), (i) => `var left${i}: vec4<f32>;`)}
  ${times(vectorsOfThread(vectors.right, tile), (i) => `var right${i}: vec4<f32>;`)}
  var t = firstBlock;
  ${fetch}`;
  if (tile.buffers === 1) {
    return `${opening}
  while (t < endBlock) {
    ${storeIn(0)}
    workgroupBarrier(); // The block is complete before anyone reads it.
    t++;
    if (t < endBlock) { ${fetch} }
    ${multiply(layout, 0, tile)}
    workgroupBarrier(); // Everyone has read it before the next is stored.
  }`;
  }
  const turn = (side: number): string => `
    t++;
    if (t < endBlock) { ${fetch} }
    ${multiply(layout, side, tile)}
    if (t < endBlock) { ${storeIn(1 - side)} }
    workgroupBarrier(); // The other buffer is complete, and this one read, before the two change places.`;
  return `${opening}
  ${storeIn(0)}
  workgroupBarrier(); // The first block is complete before anyone reads it.
  while (t < endBlock) {
    ${turn(0)}
    if (t >= endBlock) { break; }
    ${turn(1)}
  }`;
}
