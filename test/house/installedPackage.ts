// What an install of the package has, told from this clone's node_modules without an install: the packages that Node finds from
// `dependencies` on, and the room that they take.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Folders of all packages that are installed with the one in `root`. Binaries of other platforms are not there. */
export function installedWith(root: string): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [root];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { name, dependencies = {}, optionalDependencies = {} } = readManifest(folder);
    for (const wanted of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = findPackage(wanted, folder);
      if (place === undefined) {
        if (wanted in optionalDependencies) continue;
        throw new Error(`${name} needs ${wanted}, which is not installed`);
      }
      if (found.has(place)) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  return found;
}

/** Where Node finds a package from a folder. */
function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Bytes on a disk of 4 KiB blocks, as du counts them; packages inside packages are not counted. */
export function bytesOnDisk(folder: string): number {
  let bytes = 4096;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === 'node_modules' ? 0 : bytesOnDisk(path);
    else bytes += blocks(statSync(path).size);
  }
  return bytes;
}

export const blocks = (sizeBytes: number): number => Math.ceil(sizeBytes / 4096) * 4096;
