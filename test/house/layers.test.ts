// Imports point one way, types included: the coordinator's rooms stand in layers, and no folders import one another in a
// loop.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Top first. Rooms of one layer do not import one another; docs/architecture.md says what each is for. */
const layers: readonly (readonly string[])[] = [
  ['index.ts', 'main.ts'],
  ['cli'],
  ['config'],
  ['serve', 'tune'],
  ['train', 'predict'],
  ['data'],
  ['program'],
  ['cluster'],
  ['options'],
  ['checkpoint', 'progress'],
  ['core'],
  ['s3'],
  ['http', 'plot'],
  ['bounds', 'files', 'log', 'schema'],
];

/** What a module imports, whenever and whatever for: the formatter writes it in these two forms alone. */
const importPattern = /(?:\bfrom |\bimport\()'(\.[^']+)'/g;

interface Import {
  /** Paths from the repository's folder. */
  readonly from: string;
  readonly to: string;
}

function importsOf(folder: string): Import[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .flatMap((name) => {
      const from = join(folder, name);
      return [...readFileSync(join(root, from), 'utf8').matchAll(importPattern)].map(([, to]) => ({
        from,
        to: relative(root, resolve(root, dirname(from), to!)),
      }));
    });
}

const roomOf = (path: string): string => path.split(sep)[1]!;
const layerOf = (room: string): number => layers.findIndex((rooms) => rooms.includes(room));

describe('The rooms of the coordinator', () => {
  const imports = importsOf('coordinator').filter(({ to }) => to.startsWith(`coordinator${sep}`));

  it('are all in a layer', () => {
    const rooms = readdirSync(join(root, 'coordinator'));
    expect(rooms.filter((room) => layerOf(room) < 0)).toEqual([]);
    expect(layers.flat().filter((room) => !rooms.includes(room))).toEqual([]);
  });

  it('import from lower layers alone', () => {
    const others = imports.filter(({ from, to }) => roomOf(from) !== roomOf(to));
    expect(others.length).toBeGreaterThan(300);
    const upwards = others.filter(({ from, to }) => layerOf(roomOf(to)) <= layerOf(roomOf(from)));
    expect(upwards.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});

describe('Folders', () => {
  it('form no loop', () => {
    const imports = ['kernels', 'shared', 'client', 'coordinator'].flatMap(importsOf);
    expect(imports.length).toBeGreaterThan(3_000);
    expect(loopOf(folderGraph(imports))).toEqual([]);
  });

  it('would be found in a loop', () => {
    const imports = [
      ['a/x.ts', 'a/b/y.ts'],
      ['a/b/y.ts', 'c/z.ts'],
      ['c/z.ts', 'a/w.ts'],
      ['d/v.ts', 'a/x.ts'],
    ].map(([from, to]) => ({ from: from!, to: to! }));
    expect(loopOf(folderGraph(imports))).toEqual(['a', 'a/b', 'c', 'a']);
    expect(loopOf(folderGraph(imports.slice(1)))).toEqual([]);
  });
});

function folderGraph(imports: readonly Import[]): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [user, used] = [dirname(from), dirname(to)];
    if (user === used) continue;
    const targets = graph.get(user) ?? new Set();
    graph.set(user, targets.add(used));
  }
  return graph;
}

/** A loop of folders, from one back to itself; empty where there is none. */
function loopOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (folder: string): string[] => {
    const at = path.indexOf(folder);
    if (at >= 0) return [...path.slice(at), folder];
    if (done.has(folder)) return [];
    path.push(folder);
    for (const target of graph.get(folder) ?? []) {
      const loop = visit(target);
      if (loop.length > 0) return loop;
    }
    path.pop();
    done.add(folder);
    return [];
  };
  for (const folder of graph.keys()) {
    const loop = visit(folder);
    if (loop.length > 0) return loop;
  }
  return [];
}
