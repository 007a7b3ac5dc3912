// A Parquet schema as a tree of columns with their levels and Arrow types. Lists and maps follow the format's rules for
// old writers: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules

import * as arrow from 'apache-arrow';
import type { FileMetaData, SchemaElement } from 'hyparquet';
import { distinctNames } from '../../../shared/columns/columnNames.ts';
import { leafType } from './leafType.ts';

interface NodeOfAll {
  readonly name: string;
  readonly type: arrow.DataType;
  /** Definition level from which on it has a value. */
  readonly definition: number;
}

export interface LeafNode extends NodeOfAll {
  readonly kind: 'leaf';
  readonly element: SchemaElement;
  /** Its place among the leaves of the schema, and so among the chunks of a row group. */
  readonly index: number;
  readonly path: readonly string[];
  readonly maxRepetition: number;
}

interface StructNode extends NodeOfAll {
  readonly kind: 'struct';
  readonly children: readonly ColumnNode[];
}

export interface ListNode extends NodeOfAll {
  readonly kind: 'list';
  /** Definition level from which on there is an element. */
  readonly itemDefinition: number;
  /** Repetition level of an element that is not the list's first. */
  readonly repetition: number;
  readonly item: ColumnNode;
}

export type ColumnNode = LeafNode | StructNode | ListNode;

export interface SchemaOptions {
  /** Byte strings without a logical type are taken for text. */
  readonly binaryAsString?: boolean | undefined;
}

const MAX_DEPTH = 100;

/** The columns at the top. @throws Error when the schema's elements form no tree, UnsupportedDataError. */
export function columnNodes({ schema }: FileMetaData, options: SchemaOptions): ColumnNode[] {
  const root = new TreeReader(schema).node(0, []);
  const builder = new NodeBuilder(options);
  const names = distinctNames(root.children.map(({ element }) => element.name));
  return root.children.map((child, i) => builder.node(child, { definition: 0, repetition: 0 }, names[i]!));
}

export function firstLeaf(node: ColumnNode): LeafNode {
  let at = node;
  while (at.kind !== 'leaf') at = at.kind === 'list' ? at.item : at.children[0]!;
  return at;
}

export function leavesOf(node: ColumnNode): LeafNode[] {
  if (node.kind === 'leaf') return [node];
  return node.kind === 'list' ? leavesOf(node.item) : node.children.flatMap(leavesOf);
}

interface SchemaTree {
  readonly element: SchemaElement;
  readonly path: readonly string[];
  readonly children: readonly SchemaTree[];
}

/** The format has the tree's elements depth first, each with the number of its children. */
class TreeReader {
  readonly #schema: readonly SchemaElement[];
  #next = 0;

  constructor(schema: readonly SchemaElement[]) {
    this.#schema = schema;
  }

  node(depth: number, above: readonly string[]): SchemaTree {
    const element = this.#schema[this.#next++];
    if (element === undefined) throw new Error('the schema is cut off');
    if (typeof element.name !== 'string') throw new Error('a column of the schema has no name');
    if (depth > MAX_DEPTH) throw new Error(`the schema is nested more than ${MAX_DEPTH} deep`);
    const count = element.num_children ?? 0;
    if (!(count >= 0 && count <= this.#schema.length))
      throw new Error(`"${element.name}" has ${count} members`);
    const path = depth === 0 ? [] : [...above, element.name];
    const children: SchemaTree[] = [];
    for (let i = 0; i < count; i++) children.push(this.node(depth + 1, path));
    return { element, path, children };
  }
}

interface Levels {
  readonly definition: number;
  readonly repetition: number;
}

class NodeBuilder {
  readonly #options: SchemaOptions;
  #leaves = 0;

  constructor(options: SchemaOptions) {
    this.#options = options;
  }

  /** A repeated field that is no part of an annotated list is a list of its own, and never missing. */
  node(tree: SchemaTree, { definition, repetition }: Levels, name: string): ColumnNode {
    const kind = tree.element.repetition_type;
    if (kind === 'REPEATED') {
      const inside = { definition: definition + 1, repetition: repetition + 1 };
      return listOf(name, definition, inside, this.#content(tree, inside, 'element'));
    }
    const own = kind === 'OPTIONAL' ? definition + 1 : definition;
    return this.#content(tree, { definition: own, repetition }, name);
  }

  #content(tree: SchemaTree, levels: Levels, name: string): ColumnNode {
    const { element, children, path } = tree;
    if (children.length === 0) {
      const type = leafType(element, path.join('.'), this.#options);
      const index = this.#leaves++;
      const { definition, repetition: maxRepetition } = levels;
      return { kind: 'leaf', name, type, definition, element, index, path, maxRepetition };
    }
    const [child] = children;
    if (child !== undefined && children.length === 1 && child.element.repetition_type === 'REPEATED') {
      const inside = { definition: levels.definition + 1, repetition: levels.repetition + 1 };
      if (isAnnotated(element, 'LIST')) {
        const item = isElement(child, element.name)
          ? this.#content(child, inside, 'element')
          : this.node(child.children[0]!, inside, 'element');
        return listOf(name, levels.definition, inside, item);
      }
      const isMap = isAnnotated(element, 'MAP') || isAnnotated(element, 'MAP_KEY_VALUE');
      if (isMap && (child.children.length === 1 || child.children.length === 2)) {
        const entries = this.#struct(child, inside, 'entries', ['key', 'value']);
        return listOf(name, levels.definition, inside, entries);
      }
    }
    return this.#struct(tree, levels, name, distinctNames(children.map((one) => one.element.name)));
  }

  #struct({ children }: SchemaTree, levels: Levels, name: string, names: readonly string[]): StructNode {
    const nodes = children.map((child, i) => this.node(child, levels, names[i]!));
    const type = new arrow.Struct(nodes.map((node) => new arrow.Field(node.name, node.type, true)));
    return { kind: 'struct', name, type, definition: levels.definition, children: nodes };
  }
}

function listOf(name: string, definition: number, inside: Levels, item: ColumnNode): ListNode {
  const type = new arrow.List(new arrow.Field(item.name, item.type, true));
  const { definition: itemDefinition, repetition } = inside;
  return { kind: 'list', name, type, definition, itemDefinition, repetition, item };
}

function isAnnotated(element: SchemaElement, annotation: string): boolean {
  return element.converted_type === annotation || element.logical_type?.type === annotation;
}

/** Whether the repeated field of a list is its element (two levels), or only holds it (three). */
function isElement({ element, children }: SchemaTree, listName: string): boolean {
  const [only] = children;
  if (only === undefined || children.length > 1) return true;
  return (
    only.element.repetition_type === 'REPEATED' ||
    element.name === 'array' ||
    element.name === `${listName}_tuple`
  );
}
