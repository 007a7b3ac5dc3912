// Reads a tree of a model file. Nothing in it is trusted: a tree that passes can be walked without bounds checks and ends.

import type { ModelTree } from './model.ts';
import { malformed, readCount, readFloats, readInts, readList, readObject } from './modelFields.ts';
import type { JsonObject } from './modelFields.ts';
import { reachableNodes } from './reachableNodes.ts';

const MAX_NODES = 1 << 24;
/** XGBoost's largest category code. */
const MAX_CATEGORY = 1 << 24;
/** The root's parent, and the feature of deleted nodes. */
const NONE = 2147483647;

/** What the trees of a model have in common while they are read. */
export interface TreeReading {
  readonly numFeature: number;
  /** Values of a leaf, where trees have several. */
  readonly outputs: number;
  /** Words that sets of categories may still take: a few bytes of a file can name a set of megabytes. */
  setWordsLeft: number;
}

/**
 * @param scale of the leaves: the weight of the tree in DART.
 * @returns a tree, or one an output where leaves have a value for each.
 */
export function readTree(
  value: unknown,
  field: string,
  reading: TreeReading,
  scale = 1,
): readonly ModelTree[] {
  const tree = readObject(value, field);
  const at = (name: string): string => `${field}.${name}`;
  const width = leafWidth(tree, field, reading);
  const nodes = readList(tree['left_children'], at('left_children')).length;
  if (nodes === 0 || nodes > MAX_NODES) throw malformed(at('left_children'), `has ${nodes} nodes`);
  const ints = (name: string, min: number, max: number): Int32Array =>
    readInts(tree[name], at(name), { min, max, length: nodes });
  const floats = (name: string, length = nodes): Float32Array => readFloats(tree[name], at(name), length);
  const left = ints('left_children', -1, nodes - 1);
  // Since 3.2 leaves with several values keep their place among leaf_weights there.
  const given = ints('right_children', -1, nodes - 1);
  const isPlaced = tree['leaf_weights'] !== undefined;
  const right = isPlaced ? given.map((node, i) => (left[i] === -1 ? -1 : node)) : given;
  const order = reachableNodes(left, right, at('left_children'));
  const feature = ints('split_indices', 0, NONE);
  for (const node of order) {
    if (left[node] === -1 || feature[node]! < reading.numFeature) continue;
    throw malformed(
      at(`split_indices[${node}]`),
      `is ${feature[node]}, expected an integer from 0 to ${reading.numFeature - 1}`,
    );
  }
  const sets = readCategories(tree, field, nodes, width, reading);
  const scaled = (numbers: Float32Array, isScaled: (node: number) => boolean): Float32Array =>
    scale === 1 ? numbers : numbers.map((number, node) => (isScaled(node) ? number * scale : number));
  const shared = {
    left,
    right,
    parent: ints('parents', -1, NONE).map((parent) => (parent >= nodes ? -1 : parent)),
    feature,
    defaultLeft: Uint8Array.from(ints('default_left', 0, 1)),
    categories: sets,
    gain: floats('loss_changes'),
    cover: floats('sum_hessian'),
  };
  const inOrder = isInOrder(shared, order);
  const conditions = floats('split_conditions');
  const weights = floats('base_weights', nodes * width);
  const leaves = isPlaced ? readFloats(tree['leaf_weights'], at('leaf_weights')) : undefined;
  return Array.from({ length: width }, (_, output) => {
    const weight = width === 1 ? weights : conditions.map((__, node) => weights[node * width + output]!);
    const values = leafValues({ left, places: given, conditions, weight, leaves, width, output }, at);
    const whole: ModelTree = {
      ...shared,
      threshold: scaled(values, (node) => left[node] === -1),
      weight: scaled(weight, () => true),
    };
    return inOrder ? whole : renumber(whole, order);
  });
}

/** Values of a leaf. @throws ModelFormatError when they are neither one nor one an output. */
function leafWidth(tree: JsonObject, field: string, { outputs }: TreeReading): number {
  const param = readObject(tree['tree_param'] ?? {}, `${field}.tree_param`);
  const at = `${field}.tree_param.size_leaf_vector`;
  const size = Math.max(1, readCount(param['size_leaf_vector'] ?? '0', at, NONE));
  if (size === 1 || size === outputs) return size;
  throw malformed(at, `is ${size}, expected 1 or ${outputs}, the outputs of the model`);
}

interface LeafSource {
  readonly left: Int32Array;
  /** By leaf: its place among `leaves`. */
  readonly places: Int32Array;
  readonly conditions: Float32Array;
  /** The nodes' weights for this output. */
  readonly weight: Float32Array;
  readonly leaves: Float32Array | undefined;
  readonly width: number;
  readonly output: number;
}

/** Thresholds of inner nodes, and an output's values of leaves: kept apart, or as the leaves' weights, or as conditions. */
function leafValues(
  { left, places, conditions, weight, leaves, width, output }: LeafSource,
  at: (name: string) => string,
): Float32Array {
  if (width === 1 && !leaves) return conditions;
  return conditions.map((condition, node) => {
    if (left[node] !== -1) return condition;
    if (!leaves) return weight[node]!;
    const value = leaves[places[node]! * width + output];
    if (value !== undefined) return value;
    throw malformed(at(`right_children[${node}]`), `is ${places[node]}, which leaf_weights has not`);
  });
}

/** Whether all nodes can be reached and children follow their parents: XGBoost's trees before they are pruned. */
function isInOrder({ left, right }: Pick<ModelTree, 'left' | 'right'>, order: Int32Array): boolean {
  if (order.length !== left.length) return false;
  return left.every((child, node) => child === -1 || (child > node && right[node]! > node));
}

/** The tree of the nodes in `order`, breadth first; deleted ones are left out. */
function renumber(tree: ModelTree, order: Int32Array): ModelTree {
  const place = new Int32Array(tree.left.length).fill(-1);
  order.forEach((node, index) => {
    place[node] = index;
  });
  const parent = new Int32Array(order.length).fill(-1);
  const child = (children: Int32Array): Int32Array =>
    order.map((node, index) => {
      if (children[node] === -1) return -1;
      parent[place[children[node]!]!] = index;
      return place[children[node]!]!;
    });
  const categories = new Map<number, Uint32Array>();
  for (const [node, words] of tree.categories) if (place[node] !== -1) categories.set(place[node]!, words);
  const floats = (numbers: Float32Array): Float32Array => Float32Array.from(order, (node) => numbers[node]!);
  return {
    left: child(tree.left),
    right: child(tree.right),
    parent,
    feature: order.map((node) => (tree.left[node] === -1 ? 0 : tree.feature[node]!)),
    threshold: floats(tree.threshold),
    defaultLeft: Uint8Array.from(order, (node) => tree.defaultLeft[node]!),
    categories,
    gain: floats(tree.gain),
    cover: floats(tree.cover),
    weight: floats(tree.weight),
    ids: order,
  };
}

function readCategories(
  tree: JsonObject,
  field: string,
  nodes: number,
  width: number,
  reading: TreeReading,
): ReadonlyMap<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  if (tree['categories_nodes'] === undefined) return sets;
  const at = (name: string): string => `${field}.${name}`;
  const all = readInts(tree['categories'], at('categories'), { min: 0, max: MAX_CATEGORY });
  const owners = readInts(tree['categories_nodes'], at('categories_nodes'), { min: 0, max: nodes - 1 });
  const range = { min: 0, max: all.length, length: owners.length };
  const starts = readInts(tree['categories_segments'], at('categories_segments'), range);
  const sizes = readInts(tree['categories_sizes'], at('categories_sizes'), range);
  let left = all.length;
  owners.forEach((node, i) => {
    left -= sizes[i]!;
    if (left < 0)
      throw malformed(at(`categories_sizes[${i}]`), `sets have more than ${all.length} members in all`);
    const set = all.subarray(starts[i], starts[i]! + sizes[i]!);
    if (set.length !== sizes[i]) throw malformed(at(`categories_sizes[${i}]`), 'reaches beyond categories');
    const size = set.reduce((most, category) => Math.max(most, (category >> 5) + 1), 0);
    reading.setWordsLeft -= size * width;
    if (reading.setWordsLeft < 0) {
      throw malformed(
        at(`categories_nodes[${i}]`),
        'the sets of categories of the model take more than 64 MiB',
      );
    }
    const words = new Uint32Array(size);
    for (const category of set) words[category >> 5]! |= 1 << (category & 31);
    sets.set(node, words);
  });
  return sets;
}
