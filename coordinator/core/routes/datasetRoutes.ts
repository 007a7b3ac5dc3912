// Datasets over HTTP: what their owners told of them, and where their shards are.

import type { DatasetAnswer, DatasetsAnswer } from '../../../shared/api/datasetAnswers.ts';
import { NotFoundError } from '../../http/httpErrors.ts';
import type { Route } from '../http/route.ts';
import { shardsOfDataset } from '../run/datasetsOf.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import type { DatasetStore } from '../store/datasetStore.ts';

const MAX_DATASETS = 100;
const MAX_SHARDS = 1_000;

type Holder = DatasetAnswer['shards'][number]['holders'][number];

export function datasetRoutes(datasets: DatasetStore, runs: Pick<RunRegistry, 'list'>): Route[] {
  const read = (path: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  return [
    read('/api/v1/datasets', async (exchange) => {
      const answer: DatasetsAnswer = { datasets: await datasets.latest(MAX_DATASETS) };
      exchange.json(200, answer);
    }),
    read('/api/v1/datasets/:datasetId', async (exchange, { params }) => {
      const { datasetId = '' } = params;
      const found = await datasets.find(datasetId);
      if (!found) throw new NotFoundError(`There is no dataset "${datasetId.slice(0, 128)}".`);
      const { dataset, summary } = found;
      const answer: DatasetAnswer = {
        ...dataset,
        ...(summary && { summary }),
        shards: await shardsOf(dataset, datasets, runs),
      };
      exchange.json(200, answer);
    }),
  ];
}

async function shardsOf(
  { name, runs: uses }: Pick<DatasetAnswer, 'name' | 'runs'>,
  datasets: DatasetStore,
  runs: Pick<RunRegistry, 'list'>,
): Promise<DatasetAnswer['shards']> {
  const live = runs.list().filter(({ runId }) => uses.some((use) => use.runId === runId));
  const known = live.find(({ shards }) => shards !== undefined)?.shards;
  const shards = known ?? (await datasets.shards(uses[0]?.runId ?? ''));
  const shown = shardsOfDataset(shards, name).slice(0, MAX_SHARDS);
  const holders = new Map<string, Holder[]>(shown.map(({ sha256 }) => [sha256, []]));
  for (const { runId, driver } of live) {
    for (const { workerId, leases, spares } of driver?.state.members ?? []) {
      for (const { dataset, sha256 } of leases) {
        if (dataset === name) holders.get(sha256)?.push({ workerId, runId, as: 'lease' });
      }
      for (const { dataset, sha256 } of spares) {
        if (dataset === name) holders.get(sha256)?.push({ workerId, runId, as: 'spare' });
      }
    }
  }
  return shown.map(({ index, rows, sizeBytes, sha256 }) => ({
    index,
    rows,
    sizeBytes,
    sha256,
    holders: holders.get(sha256) ?? [],
  }));
}
