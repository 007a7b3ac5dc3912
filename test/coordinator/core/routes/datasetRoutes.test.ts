import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import {
  datasetAnswer,
  datasetsAnswer,
  MAX_DATASETS,
  MAX_DESCRIBED_COLUMNS,
  type DatasetSummary,
} from '../../../../shared/api/datasetAnswers.ts';
import { treeSpec } from '../../../setup/runSpecs.ts';

let coordinator: Coordinator;
let shard: RunRequest['shards'][number];
beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0, adminToken: 'boss', log: () => undefined });
  const blob = await coordinator.blobs.putBytes(Buffer.from('rows'));
  shard = { dataset: 'train', index: 0, firstRow: 0, rows: 4, ...blob };
});
afterAll(() => coordinator.close());

const column: DatasetSummary['columns'][number] = {
  name: 'hour',
  role: 'feature',
  type: 'number',
  looked: 4,
  missing: 1,
  numbers: { min: 0, max: 3, mean: 1.5, bins: [1, 2] },
  example: null,
};
const summary: DatasetSummary = { name: 'train', rows: 4, columnCount: 1, columns: [column] };

async function ask(path: string, body?: unknown, token = 'boss'): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(`${coordinator.url}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

function request(runId: string, datasets?: unknown): object {
  const workers = { min: 1, max: 1 };
  return { runId, name: runId, spec: treeSpec(3), shards: [shard], workers, maxFailures: 0, datasets };
}

describe('Datasets over HTTP', () => {
  it('are told with what came beside the run, to the owner alone', async () => {
    expect((await ask('/api/v1/datasets')).json).toEqual({ datasets: [] });
    expect((await ask('/api/v1/runs', request('described', [summary]))).status).toBe(201);
    expect((await ask('/api/v1/runs', request('quiet'))).status).toBe(201);
    const { datasets } = datasetsAnswer.parse((await ask('/api/v1/datasets')).json);
    expect(datasets).toMatchObject([
      { name: 'train', rows: 4, sizeBytes: 4, shardCount: 1, columnCount: 1, runCount: 2 },
    ]);
    const place = `/api/v1/datasets/${datasets[0]!.datasetId}`;
    const told = datasetAnswer.parse((await ask(place)).json);
    expect(told.summary).toEqual(summary);
    expect(told.shards).toEqual([{ index: 0, rows: 4, sizeBytes: 4, sha256: shard.sha256, holders: [] }]);
    for (const token of [coordinator.tokens.join, 'other']) {
      expect((await ask(place, undefined, token)).status).toBe(401);
      expect((await ask('/api/v1/datasets', undefined, token)).status).toBe(401);
    }
    expect((await ask('/api/v1/datasets/other')).status).toBe(404);
  });

  it('are refused where there are more of them than a run may have', async () => {
    const shards = Array.from({ length: MAX_DATASETS + 1 }, (_, at) => {
      return { ...shard, dataset: at === 0 ? 'train' : `valid-${at}` };
    });
    const { status, json } = await ask('/api/v1/runs', { ...request('many'), shards });
    expect([status, json]).toMatchObject([400, { error: { code: 'RUN_REQUEST_INVALID', field: 'shards' } }]);
  });

  it.each<[what: string, datasets: unknown, field: string]>([
    ['of a dataset that the run has not', [{ ...summary, name: 'valid' }], 'datasets.0.name'],
    ['twice', [summary, summary], 'datasets.1.name'],
    [
      'with too many columns',
      [{ ...summary, columns: Array.from({ length: MAX_DESCRIBED_COLUMNS + 1 }, () => column) }],
      'datasets.0.columns',
    ],
    [
      'with a long name',
      [{ ...summary, columns: [{ ...column, name: 'x'.repeat(201) }] }],
      'datasets.0.columns.0.name',
    ],
    [
      'with a number that is none',
      [{ ...summary, columns: [{ ...column, missing: -1 }] }],
      'datasets.0.columns.0.missing',
    ],
    ['with what nobody knows', [{ ...summary, rowsThemselves: [] }], 'datasets.0'],
    ['of more datasets than there are', Array.from({ length: 101 }, () => summary), 'datasets'],
  ])('are refused %s', async (what, datasets, field) => {
    const { status, json } = await ask('/api/v1/runs', request(`refused-${what.length}`, datasets));
    expect([status, (json as { error: { field: string } }).error.field]).toEqual([400, field]);
  });
});
