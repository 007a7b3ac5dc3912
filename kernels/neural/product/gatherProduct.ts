// result[position][column] = Σ image[position, tap, channel] · weights[tap, channel][column]: the forward convolution, and
// the input gradient with the output's gradient as the image. Two bodies of the same op: through workgroup memory, and
// straight from global memory.

import type { Op, StorageBinding } from '../../gpu/op.ts';
import { batchUniform } from '../kernelCall.ts';
import type { Gather } from './convolutionGeometry.ts';
import { positionsOf, staysInside, tapsOf } from './convolutionGeometry.ts';
import { finishElement, writeQuad } from './finish.ts';
import { gatherReference } from './gatherReference.ts';
import type { PhaseWgsl } from './phaseWgsl.ts';
import { phaseWgsl } from './phaseWgsl.ts';
import type { ProductTile } from './productTile.ts';
import { heightOf, nameOf, threadsOf, widthOf } from './productTile.ts';
import type { LeftLayout, StagedOperand } from './stagedProduct.ts';
import {
  columnInTile,
  leftVectors,
  rightVectors,
  rowInTile,
  stagedDeclarations,
  stagedLoop,
  squaresOfThread,
  sums,
  threadPlace,
  vectorsOfThread,
} from './stagedProduct.ts';
import { arrayType, isQuads, readQuad, times } from './wgslText.ts';
import type { GatherProduct } from './gatherReference.ts';

/** Most positions of a phase in one example. */
function mostPositions(gathers: readonly Gather[]): number {
  return Math.max(...gathers.map(positionsOf));
}

function layoutOf(tile: ProductTile): LeftLayout {
  return tile.memory === 'workgroup' && tile.left === 'rows' ? 'alongRows' : 'alongInner';
}

export function gatherTiles(
  { gathers, columns, tile, splits }: Pick<GatherProduct, 'columns' | 'gathers' | 'splits' | 'tile'>,
  examples: number,
): number {
  const rowTiles = Math.ceil((examples * mostPositions(gathers)) / heightOf(tile));
  return rowTiles * Math.ceil(columns / widthOf(tile)) * gathers.length * splits;
}

function storageOf(product: GatherProduct): StorageBinding[] {
  const { channels, columns, splits, finish, weights } = product;
  const storage: StorageBinding[] = [{ name: 'image', type: arrayType(channels), access: 'read' }];
  if (weights === 'weights') storage.push({ name: 'weights', type: arrayType(columns), access: 'read' });
  if (splits > 1) return [...storage, { name: 'partial', type: arrayType(columns), access: 'read_write' }];
  if (finish.bias) storage.push({ name: 'bias', type: arrayType(columns), access: 'read' });
  return [...storage, { name: 'result', type: arrayType(columns), access: 'read_write' }];
}

/** Statements that say which tile this workgroup works on; workgroups beyond the last return. */
function tilePlace({ gathers, columns, tile, splits }: GatherProduct, phase: PhaseWgsl): string {
  const columnTiles = Math.ceil(columns / widthOf(tile));
  return `
  let tile = group.y * groups.x + group.x;
  let rowTiles = (batch.examples * ${mostPositions(gathers)}u + ${heightOf(tile) - 1}u) / ${heightOf(tile)}u;
  let layer = tile / (${columnTiles}u * rowTiles);
  if (layer >= ${gathers.length * splits}u) { return; }
  ${phase.select(`layer / ${splits}u`)}
  let gridSize = ${phase.field('gridRows')} * ${phase.field('gridColumns')};
  let positions = batch.examples * gridSize;
  let firstRow = ${heightOf(tile)}u * ((tile / ${columnTiles}u) % rowTiles);
  if (firstRow >= positions) { return; }
  let firstColumn = ${widthOf(tile)}u * (tile % ${columnTiles}u);
  ${threadPlace(tile)}`;
}

/** `y<i>`, `x<i>`, `base<i>`: where the taps of position `place` begin in the image, and the pixels before its example. */
function gatherPlace(product: GatherProduct, phase: PhaseWgsl, i: number, place: string): string {
  const [{ vertical, horizontal }] = product.gathers as [Gather];
  return `
  // Rows beyond the last do the last one's work over and are not written.
  let place${i} = min(${place}, positions - 1u);
  let within${i} = place${i} % gridSize;
  let y${i} = i32(within${i} / ${phase.field('gridColumns')}) * ${vertical.stride} + ${phase.field('originY')};
  let x${i} = i32(within${i} % ${phase.field('gridColumns')}) * ${horizontal.stride} + ${phase.field('originX')};
  let base${i} = (place${i} / gridSize) * ${vertical.source * horizontal.source}u;`;
}

/** Names `dy`, `dx` and `channel` (with a suffix) of the inner index `k`. */
function decodeInner(product: GatherProduct, phase: PhaseWgsl, k: string, suffix: string): string {
  const { gathers, channels } = product;
  const [{ vertical, horizontal }] = gathers as [Gather];
  if (gathers.length === 1 && tapsOf(gathers[0]!) === 1) {
    return `let dy${suffix} = 0; let dx${suffix} = 0; let channel${suffix} = ${k};`;
  }
  const tap = `(${k} / ${channels}u)`;
  return `
    let dy${suffix} = i32(${tap} / ${phase.field('tapColumns')}) * ${vertical.step};
    let dx${suffix} = i32(${tap} % ${phase.field('tapColumns')}) * ${horizontal.step};
    let channel${suffix} = ${k} % ${channels}u;`;
}

/** Whether every phase's inner dimension is whole steps of `depth`. */
function innerIsWhole({ gathers, channels }: GatherProduct, depth: number): boolean {
  return gathers.every((gather) => (tapsOf(gather) * channels) % depth === 0);
}

/** Pixel of the image for row i of this thread, and whether it is inside: `pixel` and `inside`. */
function pixelOf({ gathers }: GatherProduct, i: number, suffix: string): string {
  const [{ vertical, horizontal }] = gathers as [Gather];
  const bounds = gathers.every(staysInside)
    ? ''
    : `let inside = (u32(y) < ${vertical.source}u) & (u32(x) < ${horizontal.source}u);`;
  return `
    let y = y${i} + dy${suffix}; let x = x${i} + dx${suffix};
    let pixel = base${i} + u32(y * ${horizontal.source} + x);
    ${bounds}`;
}

function stagedImage(product: GatherProduct, phase: PhaseWgsl): StagedOperand {
  const { tile, channels, gathers } = product;
  const quads = tile.depth / 4;
  const turned = tile.left === 'rows';
  const count = turned ? 4 * squaresOfThread(tile) : vectorsOfThread(leftVectors(tile), tile);
  const conditions = [
    ...(gathers.every(staysInside) ? [] : ['inside']),
    ...(innerIsWhole(product, tile.depth) ? [] : [`(K < ${phase.field('inner')})`]),
  ];
  const conditionAt = (k: string): string | undefined =>
    conditions.length === 0 ? undefined : `(${conditions.join(' & ').replace('K', k)})`;
  const rowOf = (i: number): string =>
    turned
      ? `4u * ((lane + ${(i >> 2) * threadsOf(tile)}u) / ${quads}u) + ${i & 3}u`
      : `(lane + ${i * threadsOf(tile)}u) / ${quads}u`;
  const setup = times(count, (i) => gatherPlace(product, phase, i, `firstRow + ${rowOf(i)}`));
  const squares = leftVectors(tile) / 4;
  // Where there are fewer squares than threads, the others have nothing to fetch.
  const guard = turned && squares < threadsOf(tile) ? `if (lane < ${squares}u)` : '';
  const first = `let k = t * ${tile.depth}u + 4u * (lane % ${quads}u);`;
  if (isQuads(channels)) {
    const condition = conditionAt('k');
    const fetch = times(count, (i) => {
      const place = { row: 'pixel', column: 'channel', ...(condition === undefined ? {} : { condition }) };
      return `{ ${pixelOf(product, i, '')} left${i} = ${readQuad('image', channels, place)}; }`;
    });
    return { setup, turned, fetch: `${guard} { ${first} ${decodeInner(product, phase, 'k', '')} ${fetch} }` };
  }
  // Four neighbours along the inner dimension may belong to different taps.
  const decode = times(4, (u) => decodeInner(product, phase, `(k + ${u}u)`, `${u}`));
  const fetch = times(count, (i) =>
    times(4, (u) => {
      const condition = conditionAt(`k + ${u}u`);
      const index = `pixel * ${channels}u + channel${u}`;
      const value =
        condition === undefined
          ? `image[${index}]`
          : `select(0.0, image[select(0u, ${index}, ${condition})], ${condition})`;
      return `{ ${pixelOf(product, i, `${u}`)} left${i}[${u}] = ${value}; }`;
    }),
  );
  return { setup, turned, fetch: `${guard} { ${first} ${decode} ${fetch} }` };
}

function stagedWeights(product: GatherProduct, phase: PhaseWgsl): StagedOperand {
  const { tile, columns, weights } = product;
  const width = widthOf(tile) / 4;
  const conditions = [
    ...(innerIsWhole(product, tile.depth) ? [] : [`(k < ${phase.field('inner')})`]),
    ...(columns % widthOf(tile) === 0 || !isQuads(columns) ? [] : [`(column < ${columns}u)`]),
  ];
  const condition = conditions.length === 0 ? {} : { condition: `(${conditions.join(' & ')})` };
  const fetch = times(vectorsOfThread(rightVectors(tile), tile), (i) => {
    const slot = `(lane + ${i * threadsOf(tile)}u)`;
    const place = { row: `${phase.field('firstWeight')} + k`, column: 'column', ...condition };
    return `{
      let k = t * ${tile.depth}u + ${slot} / ${width}u;
      let column = firstColumn + 4u * (${slot} % ${width}u);
      right${i} = ${readQuad(weights, columns, place)};
    }`;
  });
  return { setup: '', fetch };
}

/** Sums straight from global memory: the taps outside, so that a row's pixel is worked out once a tap. */
function registersLoop(product: GatherProduct, phase: PhaseWgsl): string {
  const { tile, gathers, channels, columns, weights } = product;
  const [{ vertical, horizontal }] = gathers as [Gather];
  const inside = gathers.every(staysInside);
  const quads = tile.columns / 4;
  const step = isQuads(channels) ? 4 : 1;
  const right = (u: number): string =>
    times(quads, (j) => {
      const column = `(firstColumn + ${columnInTile(tile, j)})`;
      const guarded = columns % widthOf(tile) === 0 || !isQuads(columns);
      const place = { row: `weightRow + channel + ${u}u`, column };
      const condition = guarded ? {} : { condition: `(${column} < ${columns}u)` };
      return `let b${j} = ${readQuad(weights, columns, { ...place, ...condition })};`;
    });
  const element = isQuads(channels) ? 'vec4<f32>()' : '0.0';
  const left = times(tile.rows, (r) => {
    const value = `image[at${r} + channel${step === 4 ? ' / 4u' : ''}]`;
    return `let a${r} = ${inside ? value : `select(${element}, ${value}, inside${r})`};`;
  });
  const product4 = times(step, (u) => {
    const factor = (r: number): string => (step === 4 ? `a${r}[${u}]` : `a${r}`);
    return `{ ${right(u)} ${times(tile.rows, (r) => times(quads, (j) => `sum${r}_${j} += ${factor(r)} * b${j};`))} }`;
  });
  const taps = gathers.length === 1 ? `${tapsOf(gathers[0]!)}u` : `${phase.field('inner')} / ${channels}u`;
  return `
  ${times(tile.rows, (r) => gatherPlace(product, phase, r, `firstRow + ${rowInTile('alongInner', tile, r)}`))}
  for (var tap = 0u; tap < ${taps}; tap++) {
    let dy = i32(tap / ${phase.field('tapColumns')}) * ${vertical.step};
    let dx = i32(tap % ${phase.field('tapColumns')}) * ${horizontal.step};
    let weightRow = ${phase.field('firstWeight')} + tap * ${channels}u;
    ${times(tile.rows, (r) => {
      const unit = `${channels / step}u`;
      return `var at${r}: u32; var inside${r} = true; { ${pixelOf(product, r, '')} at${r} = ${
        inside ? `pixel * ${unit}` : `select(0u, pixel * ${unit}, inside); inside${r} = inside`
      }; }`;
    })}
    for (var channel = 0u; channel < ${channels}u; channel += ${step}u) {
      ${left}
      ${product4}
    }
  }`;
}

/** Row of the result's array for the position `place`. */
function resultRow({ gathers }: GatherProduct, phase: PhaseWgsl, place: string): string {
  const [{ vertical, horizontal }] = gathers as [Gather];
  const { targetStride: strideY, target: height } = vertical;
  const { targetStride: strideX, target: width } = horizontal;
  if (gathers.length === 1 && strideY === 1 && strideX === 1) return place;
  const y = `((${place} % gridSize) / ${phase.field('gridColumns')}) * ${strideY}u + ${phase.field('resultY')}`;
  const x = `((${place} % gridSize) % ${phase.field('gridColumns')}) * ${strideX}u + ${phase.field('resultX')}`;
  return `(((${place} / gridSize) * ${height}u + ${y}) * ${width}u + ${x})`;
}

function writeSums(product: GatherProduct, phase: PhaseWgsl): string {
  const { tile, columns, splits, finish, partialOffset, partialStride } = product;
  const unit = isQuads(columns) ? 4 : 1;
  return times(tile.rows, (r) => {
    const quads = times(tile.columns / 4, (j) =>
      writeQuad(
        columns,
        { row: 'row', column: `(firstColumn + ${columnInTile(tile, j)})`, value: `sum${r}_${j}` },
        (element) =>
          splits === 1
            ? finishElement(finish, element)
            : `partial[${partialOffset / unit}u + (layer % ${splits}u) * ${partialStride / unit}u + ${element.index}] = ${element.value};`,
      ),
    );
    return `{
    let place = firstRow + ${rowInTile(layoutOf(tile), tile, r)};
    if (place < positions) { let row = ${resultRow(product, phase, 'place')}; ${quads} }
  }`;
  });
}

export function gatherProductOp(product: GatherProduct): Op {
  const { tile, gathers, channels, splits } = product;
  const phase = phaseWgsl(gathers, channels);
  const isStaged = tile.memory === 'workgroup';
  const loop = isStaged
    ? `
  let blocks = (${phase.field('inner')} + ${tile.depth - 1}u) / ${tile.depth}u;
  let firstBlock = blocks * (layer % ${splits}u) / ${splits}u;
  let endBlock = blocks * (layer % ${splits}u + 1u) / ${splits}u;
  ${stagedLoop(layoutOf(tile), tile, { left: stagedImage(product, phase), right: stagedWeights(product, phase) })}`
    : registersLoop(product, phase);
  return {
    name: `${product.name} ${nameOf(tile)}`,
    storage: storageOf(product),
    uniforms: [batchUniform],
    workgroupSize: threadsOf(tile),
    declarations: `${phase.declarations}${isStaged ? stagedDeclarations(tile) : ''}`,
    body: `${tilePlace(product, phase)}
  ${sums(tile)}
  ${loop}
  ${writeSums(product, phase)}`,
    reference: (inputs) => gatherReference(product, inputs),
  };
}
