// From a bound application to a plain value that is recorded, and back. Checkpoints are kept as blobs, so that what was
// deployed comes back whatever became of its folder.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobStore } from '../../core/blobs/blobStore.ts';
import { makeTemporaryFolder } from '../../files/temporaryFolder.ts';
import { isLayersModel, filesBesideModel } from '../../checkpoint/layersFolder.ts';
import { Checkpoint, MODEL_FILE } from '../../checkpoint/checkpoint.ts';
import { Application, boundCheckpoint, Deployment, moduleAddress } from '../deployment/deployment.ts';
import type { Recipe, RecipeFile, RecipeNode, Unrecordable } from '../../core/store/serveRecord.ts';

type Blobs = Pick<BlobStore, 'putBytes' | 'read'>;

/** @throws CheckpointError, StorageError, StorageFullError */
export async function makeRecipe(application: Application, blobs: Blobs): Promise<Recipe | Unrecordable> {
  const nodes: RecipeNode[] = [];
  const places = new Map<Application, number>();
  let reason: string | undefined;

  const visit = async (node: Application): Promise<number> => {
    const known = places.get(node);
    if (known !== undefined) return known;
    const { deployment } = node;
    const settings = { ...deployment.settings, name: deployment.name };
    const bound = boundCheckpoint(node);
    const given = bound ? [bound.options].filter((options) => options !== undefined) : node.args;
    const args = (await encode(given, `an argument of deployment "${deployment.name}"`)) as unknown[];
    const address = moduleAddress(deployment.target);
    if (bound) {
      const files = await storeFiles(bound.checkpoint, blobs);
      nodes.push({ settings, target: { kind: 'checkpoint', files }, args });
    } else if (address) {
      nodes.push({ settings, target: { kind: 'module', ...address }, args });
    } else {
      reason ??= `Deployment "${deployment.name}" is a class of the process that deployed it.`;
    }
    places.set(node, nodes.length - 1);
    return nodes.length - 1;
  };

  const encode = async (value: unknown, what: string): Promise<unknown> => {
    if (value instanceof Application) return { [NODE]: await visit(value) };
    // One after another: names of deployments follow from the order in which they are visited.
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value) items.push(await encode(item, what));
      return items;
    }
    if (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value))
      return value;
    if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && !(NODE in value)) {
      const object: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(value))
        if (item !== undefined) object[key] = await encode(item, what);
      return object;
    }
    reason ??= `${what} has no JSON.`;
    return null;
  };

  await visit(application);
  return reason === undefined ? { nodes } : { reason };
}

/**
 * Hands the application of a recipe to `use`, with its checkpoints in folders that are there for so long.
 * @throws BlobMissingError, StorageError, and what `use` throws.
 */
export async function withRecipe<T>(
  { nodes }: Recipe,
  blobs: Blobs,
  use: (application: Application) => Promise<T>,
): Promise<T> {
  const folder = await makeTemporaryFolder('recipe');
  try {
    const applications: Application[] = [];
    const decode = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(decode);
      if (typeof value !== 'object' || value === null) return value;
      if (NODE in value) return applications[value[NODE] as number];
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    };
    for (const { settings, target, args } of nodes) {
      const made =
        target.kind === 'module'
          ? { module: target.module, export: target.exportName }
          : await restoreCheckpoint(target.files, blobs, await mkdtemp(join(folder.path, 'checkpoint-')));
      applications.push(new Deployment(made, settings).bind(...args.map(decode)));
    }
    return await use(applications.at(-1)!);
  } finally {
    await folder.remove();
  }
}

/** Stands for a deployment among recorded arguments. */
const NODE = 'tabgradNode';

async function storeFiles(checkpoint: Checkpoint, blobs: Blobs): Promise<RecipeFile[]> {
  const modelText = checkpoint.modelText();
  const { sha256 } = await blobs.putBytes(Buffer.from(modelText));
  const files = [{ name: MODEL_FILE, sha256 }];
  if (!isLayersModel(modelText)) return files;
  for (const name of filesBesideModel(checkpoint)) {
    files.push({ name, sha256: (await blobs.putBytes(readFileSync(join(checkpoint.path, name)))).sha256 });
  }
  return files;
}

async function restoreCheckpoint(
  files: readonly RecipeFile[],
  blobs: Blobs,
  folder: string,
): Promise<Checkpoint> {
  for (const { name, sha256 } of files) await writeFile(join(folder, name), await blobs.read(sha256));
  return new Checkpoint(folder);
}
