// The datasets of a run, as its shards make them up.

import { createHash } from 'node:crypto';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { RunRequest, Shard } from './runRequest.ts';

export interface RunDataset {
  /** Follows from its name and its shards: runs on the same rows have the same. */
  readonly datasetId: string;
  readonly name: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly shardCount: number;
  readonly summary: DatasetSummary | undefined;
}

/** In the order in which their first shards come. */
export function datasetsOf({ shards, datasets = [] }: Pick<RunRequest, 'shards' | 'datasets'>): RunDataset[] {
  const byName = new Map<string, Shard[]>();
  for (const shard of shards) {
    const own = byName.get(shard.dataset);
    if (own) own.push(shard);
    else byName.set(shard.dataset, [shard]);
  }
  return [...byName].map(([name, unordered]) => {
    const own = inOrder(unordered);
    return {
      datasetId: datasetIdOf(name, own),
      name,
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      sizeBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      shardCount: own.length,
      summary: datasets.find((summary) => summary.name === name),
    };
  });
}

/** The shards of a dataset, by their places in it. */
export function shardsOfDataset(shards: readonly Shard[], name: string): Shard[] {
  return inOrder(shards.filter(({ dataset }) => dataset === name));
}

function inOrder(shards: readonly Shard[]): Shard[] {
  return shards.toSorted((a, b) => a.index - b.index);
}

function datasetIdOf(name: string, shards: readonly Shard[]): string {
  const hash = createHash('sha256').update(name);
  for (const { sha256 } of shards) hash.update(`\n${sha256}`);
  return hash.digest('hex').slice(0, 32);
}
