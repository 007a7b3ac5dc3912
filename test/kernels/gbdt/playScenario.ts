// Plays a scenario on a device as the round machine would: trees level by level with seeded splits, margins at the end
// of every round. What the device answered is the transcript that is compared.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { NodeSplit, TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import type { SeededNumbers } from '../seededNumbers.ts';
import { seededNumbers } from '../seededNumbers.ts';
import type { Scenario } from './scenarios.ts';
import { blocksOf } from './scenarios.ts';

/** Every answer of the device, in order, with where it was given. */
export type Transcript = { at: string; values: number[] }[];

function drawSplit(scenario: Scenario, random: SeededNumbers, node: number, left: number): NodeSplit {
  const feature = random.below(scenario.slots.length);
  const splitBin = random.below(Math.max(1, (scenario.slots[feature] ?? 1) - 1));
  const split = { node, left, right: left + 1, feature, splitBin, missingGoesLeft: random.next() < 0.5 };
  if (!scenario.categorical?.includes(feature)) return split;
  return { ...split, categories: Uint32Array.from({ length: 8 }, () => random.below(2 ** 32)) };
}

function treeOf(scenario: Scenario, random: SeededNumbers, splits: readonly NodeSplit[]): BinnedTree {
  const nodes = 2 * splits.length + 1;
  const tree: BinnedTree = {
    left: new Int32Array(nodes).fill(-1),
    right: new Int32Array(nodes).fill(-1),
    parent: new Int32Array(nodes).fill(-1),
    feature: new Int32Array(nodes),
    splitBin: new Int32Array(nodes),
    categories: new Uint32Array(8 * nodes),
    isCategorical: new Uint8Array(nodes),
    missingGoesLeft: new Uint8Array(nodes),
    value: new Float32Array(nodes),
    valueFixed: new Int32Array(nodes),
    gain: new Float32Array(nodes),
    cover: new Float32Array(nodes),
  };
  for (const split of splits) {
    tree.left[split.node] = split.left;
    tree.right[split.node] = split.right;
    tree.parent[split.left] = split.node;
    tree.parent[split.right] = split.node;
    tree.feature[split.node] = split.feature;
    tree.splitBin[split.node] = split.splitBin;
    tree.missingGoesLeft[split.node] = split.missingGoesLeft ? 1 : 0;
    if (split.categories === undefined) continue;
    tree.isCategorical[split.node] = 1;
    tree.categories.set(split.categories, 8 * split.node);
  }
  const size = scenario.leaf ?? 2 ** 19;
  for (let node = 0; node < nodes; node += 1) {
    const value = Math.round((random.next() * 2 - 1) * size);
    if ((tree.left[node] ?? -1) >= 0) continue;
    tree.valueFixed[node] = value;
    // Less than a unit more, which wide margins keep.
    tree.value[node] = (value + value / 2 ** 19) * 2 ** -20;
  }
  return tree;
}

/** Grows one tree and writes down its histograms. */
async function growTree(
  device: TreeDevice,
  scenario: Scenario,
  random: SeededNumbers,
  note: (at: string, values: ArrayLike<number>) => void,
): Promise<BinnedTree> {
  const sum = async (at: string, ...nodes: number[]): Promise<void> => {
    note(at, await device.buildHistograms(Int32Array.from(nodes)));
    if (scenario.wide) note(`${at}, low`, await device.buildHistograms(Int32Array.from(nodes), 'low'));
  };
  await sum('root', 0);
  const depth = scenario.depth ?? 3;
  const splits: NodeSplit[] = [];
  let kept = 0;
  let leaves = [0];
  for (let level = 1; level <= depth; level += 1) {
    if (level === depth) kept = splits.length;
    const made = leaves.map((node, i) => drawSplit(scenario, random, node, splits.length * 2 + 2 * i + 1));
    // Some leaves stay where they are, as they do when nothing is gained.
    const taken = made.length > 2 ? made.slice(0, -1) : made;
    device.applySplits(taken);
    splits.push(...taken);
    leaves = taken.flatMap(({ left, right }) => [right, left]);
    const asked = level === depth ? [...leaves, 1000] : taken.map(({ left }) => left);
    await sum(`level ${level}`, ...asked);
  }
  return treeOf(scenario, random, scenario.pruned ? splits.slice(0, kept) : splits);
}

export async function playScenario(device: TreeDevice, scenario: Scenario): Promise<Transcript> {
  const transcript: Transcript = [];
  const random = seededNumbers(scenario.seed + 1_000_000);
  const blocks = [];
  for (const { block, role } of blocksOf(scenario)) blocks.push(await device.load(block, role));
  for (let round = 0; round < (scenario.rounds ?? 2); round += 1) {
    const trees: BinnedTree[] = [];
    for (let output = 0; output < (scenario.outputs ?? 1); output += 1) {
      device.beginTree(round, output);
      trees.push(
        await growTree(device, scenario, random, (at, values) =>
          transcript.push({ at: `round ${round}, output ${output}, ${at}`, values: Array.from(values) }),
        ),
      );
    }
    device.applyTrees(blocks, trees);
    for (const [i, block] of blocks.entries()) {
      const margins = await device.readMargins(block);
      transcript.push({ at: `round ${round}, margins of block ${i}`, values: Array.from(margins) });
    }
  }
  return transcript;
}

/** Where two transcripts part, in words; undefined when they are equal. */
export function firstDifference(actual: Transcript, expected: Transcript): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} answers, expected ${expected.length}`;
  for (const [i, { at, values }] of expected.entries()) {
    const got = actual[i]?.values ?? [];
    if (got.length !== values.length) return `${at}: ${got.length} numbers, expected ${values.length}`;
    const place = values.findIndex((value, k) => value !== got[k]);
    if (place >= 0) return `${at}: number ${place} is ${got[place]}, expected ${values[place]}`;
  }
  return undefined;
}
