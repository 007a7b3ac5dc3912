// Histogram through workgroup memory, for real GPUs: a workgroup sums a stretch of rows into a tile of its own (four
// features of as many nodes as fit 16 KiB), then adds the tile to global memory. Its atomics meet only those of its own
// 256 threads, and stay on the chip. A grid row (y) is a job: which features and nodes the tile covers.

import type { Op, UniformBinding } from '../../gpu/op.ts';
import {
  WORDS_PER_SLOT,
  addSignedWgsl,
  blockUniform,
  histogramReference,
  histogramStorage,
  shapeUniform,
} from './histogramOp.ts';

/** 16 KiB, the workgroup memory every WebGPU device has. */
const TILE_WORDS = 4096;
/** Slots that fit a tile. Four features have at most 1,024, so at least one node always fits. */
const TILE_SLOTS = TILE_WORDS / WORDS_PER_SLOT;
const WORKGROUP_SIZE = 256;
const tilingUniform: UniformBinding = { name: 'tiling', fields: { rowsPerGroup: 'u32' } };

/** Few rows a workgroup keep the whole GPU busy; many make it cheap to empty the tile. */
export interface Tiling {
  /** Workgroups wanted at the least, over all jobs. */
  readonly leastGroups: number;
  /** Rows of a workgroup at the least and at the most. */
  readonly rowsPerGroup: readonly [least: number, most: number];
}

export const defaultTiling: Tiling = { leastGroups: 1024, rowsPerGroup: [1024, 8192] };

/** Rows that a workgroup sums. */
export function rowsPerGroup(tiling: Tiling, rows: number, jobs: number): number {
  const [least, most] = tiling.rowsPerGroup;
  const wanted = Math.ceil((rows * jobs) / tiling.leastGroups);
  return WORKGROUP_SIZE * Math.ceil(Math.min(most, Math.max(least, wanted)) / WORKGROUP_SIZE);
}

/**
 * Jobs of four words each: bins word, first node place, nodes, slots of a node in the tile.
 * @param nodes how many nodes the histogram has.
 */
export function tileJobs(firstSlot: Int32Array | Uint32Array, nodes: number): Uint32Array<ArrayBuffer> {
  const features = firstSlot.length - 1;
  const jobs: number[] = [];
  for (let word = 0; 4 * word < features; word += 1) {
    const tileSlots = (firstSlot[Math.min(4 * word + 4, features)] ?? 0) - (firstSlot[4 * word] ?? 0);
    const nodesPerTile = Math.floor(TILE_SLOTS / tileSlots);
    for (let first = 0; first < nodes; first += nodesPerTile) {
      jobs.push(word, first, Math.min(nodesPerTile, nodes - first), tileSlots);
    }
  }
  return Uint32Array.from(jobs);
}

/**
 * Tiles over the same rows above which most of what a workgroup reads belongs to other tiles, so that global atomics win,
 * where these hardly meet. Measured on an H100 with 16 features of 256 slots: tiled 23.6, 14.9 and 4.8 G updates/s at 1, 2
 * and 8 nodes, global 7.2, 7.4 and 8.3.
 */
const MOST_TILES_PER_WORD = 4;
/** The same where a feature has few cells, on which global atomics wait for one another: half the speed with 8 slots. */
const MOST_TILES_PER_CROWDED_WORD = 16;
/** Cells of a feature, over all nodes, from which on global atomics are at full speed. */
const UNCROWDED_CELLS = 256;

export function tilingPays(firstSlot: Int32Array | Uint32Array, nodes: number): boolean {
  const features = firstSlot.length - 1;
  let narrowest = Infinity;
  for (let feature = 0; feature < features; feature += 1) {
    narrowest = Math.min(narrowest, (firstSlot[feature + 1] ?? 0) - (firstSlot[feature] ?? 0));
  }
  const isCrowded = narrowest * nodes < UNCROWDED_CELLS;
  const mostTiles = isCrowded ? MOST_TILES_PER_CROWDED_WORD : MOST_TILES_PER_WORD;
  return tileJobs(firstSlot, nodes).length / 4 <= mostTiles * Math.max(1, Math.ceil(features / 4));
}

export const histogramTiled: Op = {
  name: 'histogramTiled',
  storage: [...histogramStorage, { name: 'jobs', type: 'array<vec4<u32>>', access: 'read' }],
  uniforms: [blockUniform, shapeUniform, tilingUniform],
  workgroupSize: WORKGROUP_SIZE,
  declarations: `
var<workgroup> tile: array<atomic<u32>, ${TILE_WORDS}>;
${addSignedWgsl('addToTile', 'tile')}
fn flush(cell: u32, low: u32, high: u32) {
  let before = atomicAdd(&histogram[cell], low);
  let carried = high + select(0u, 1u, before + low < low);
  if (carried != 0u) { atomicAdd(&histogram[cell + 1u], carried); }
}`,
  body: `
  let job = jobs[group.y];
  let tileWords = job.z * job.w * ${WORDS_PER_SLOT}u;
  for (var i = lane; i < tileWords; i += ${WORKGROUP_SIZE}u) { atomicStore(&tile[i], 0u); }
  // The tile is zero before anyone adds to it.
  workgroupBarrier();
  let firstFeature = 4u * job.x;
  let features = min(4u, shape.features - firstFeature);
  let tileStart = firstSlot[firstFeature];
  let end = min((group.x + 1u) * tiling.rowsPerGroup, block.rows);
  for (var row = group.x * tiling.rowsPerGroup + lane; row < end; row += ${WORKGROUP_SIZE}u) {
    let node = positions[row];
    if (node >= arrayLength(&nodeIndex)) { continue; }
    let place = nodeIndex[node] - job.y;
    if (place >= job.z) { continue; }
    let pair = gradients[row];
    if (pair.x == 0 && pair.y == 0) { continue; }
    var packed = bins[job.x * block.rows + row];
    let start = place * job.w - tileStart;
    for (var f = 0u; f < features; f++) {
      let cell = ${WORDS_PER_SLOT}u * (start + firstSlot[firstFeature + f] + (packed & 255u));
      addToTile(cell, pair.x);
      addToTile(cell + 2u, pair.y);
      packed = packed >> 8u;
    }
  }
  // Every thread's rows are in the tile before it is emptied.
  workgroupBarrier();
  for (var i = lane; i < tileWords / 2u; i += ${WORKGROUP_SIZE}u) {
    let low = atomicLoad(&tile[2u * i]);
    let high = atomicLoad(&tile[2u * i + 1u]);
    if (low == 0u && high == 0u) { continue; }
    let tileSlot = i / 2u;
    let node = job.y + tileSlot / job.w;
    let slot = tileStart + tileSlot % job.w;
    flush(${WORDS_PER_SLOT}u * (node * shape.slots + slot) + 2u * (i % 2u), low, high);
  }`,
  reference: histogramReference,
};
