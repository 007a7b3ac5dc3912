// Lists, maps and structs, put together from the levels of their leaves.
// The levels are those of Dremel: https://research.google/pubs/pub36632/

import type * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import { bitmapOf } from '../../../shared/columns/bitmap.ts';
import type { ColumnValues } from './columnValues.ts';
import type { LeafEntries, LeafReader } from './leafReader.ts';
import type { ColumnReader } from './columnReader.ts';
import { firstLeaf, leavesOf, type ColumnNode, type LeafNode, type ListNode } from './schemaTree.ts';

export interface NestedLeaf {
  readonly entries: LeafReader;
  readonly values: ColumnValues;
}

/** Which entries of a leaf are places of a node: those that begin one, where everything around it is there. */
interface Places {
  readonly repetition: number;
  readonly definition: number;
}

interface LeafBatch {
  readonly entries: LeafEntries;
  readonly values: ColumnValues;
}

export class NestedColumn implements ColumnReader {
  readonly #root: ColumnNode;
  readonly #leaves: ReadonlyMap<LeafNode, NestedLeaf>;

  constructor(root: ColumnNode, open: (leaf: LeafNode) => NestedLeaf) {
    this.#root = root;
    this.#leaves = new Map(leavesOf(root).map((leaf) => [leaf, open(leaf)]));
  }

  async read(rows: number): Promise<arrow.Data> {
    const batches = new Map<LeafNode, LeafBatch>();
    // One after the other: nothing may go on reading when one fails.
    for (const [leaf, { entries, values }] of this.#leaves) {
      batches.set(leaf, { entries: await entries.read(rows), values });
    }
    const data = build(this.#root, { repetition: 0, definition: 0 }, batches);
    if (data.length !== rows) throw new Error(`${data.length} rows where ${rows} are expected`);
    return data;
  }
}

function build(node: ColumnNode, places: Places, batches: ReadonlyMap<LeafNode, LeafBatch>): arrow.Data {
  const { entries, values } = batches.get(firstLeaf(node))!;
  if (node.kind === 'leaf') {
    const valid = placesAt(entries, places, node.definition);
    return values.toArrow(entries.runs, valid.length, valid.includes(0) ? valid : undefined);
  }
  if (node.kind === 'list') return buildList(node, places, entries, batches);
  const valid = placesAt(entries, places, node.definition);
  const children = node.children.map((child) => build(child, places, batches));
  for (const [i, child] of children.entries()) {
    if (child.length !== valid.length) {
      const name = node.children[i]!.name;
      throw new Error(`its member "${name}" has ${child.length} values where others have ${valid.length}`);
    }
  }
  return arrowData({ type: node.type, length: valid.length, ...validity(valid), children });
}

function buildList(
  node: ListNode,
  places: Places,
  { count, definition, repetition }: LeafEntries,
  batches: ReadonlyMap<LeafNode, LeafBatch>,
): arrow.Data {
  const valid = new Uint8Array(count);
  const offsets = new Int32Array(count + 1);
  let rows = 0;
  let items = 0;
  for (let i = 0; i < count; i++) {
    const repeated = repetition?.[i] ?? 0;
    const defined = definition?.[i] ?? Infinity;
    if (defined < places.definition || repeated > node.repetition) continue;
    if (repeated <= places.repetition) {
      valid[rows] = defined >= node.definition ? 1 : 0;
      rows++;
    }
    if (defined >= node.itemDefinition) items++;
    if (rows === 0) throw new Error('its first element is of no list');
    offsets[rows] = items;
  }
  const item = build(node.item, { repetition: node.repetition, definition: node.itemDefinition }, batches);
  if (item.length !== items) throw new Error(`its lists have ${items} elements and ${item.length} values`);
  return arrowData({
    type: node.type,
    length: rows,
    ...validity(valid.subarray(0, rows)),
    valueOffsets: offsets.slice(0, rows + 1),
    child: item,
  });
}

/** One byte a place, 1 where the definition level reaches `level`. */
function placesAt({ count, definition, repetition }: LeafEntries, places: Places, level: number): Uint8Array {
  const valid = new Uint8Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const defined = definition?.[i] ?? Infinity;
    if ((repetition?.[i] ?? 0) > places.repetition || defined < places.definition) continue;
    valid[at++] = defined >= level ? 1 : 0;
  }
  return valid.subarray(0, at);
}

function validity(valid: Uint8Array): { nullCount: number; nullBitmap: Uint8Array | undefined } {
  const { bitmap, nullCount } = bitmapOf(valid);
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap };
}
