import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ResultRecord } from '../../coordinator/train/result.ts';

let results = '';
beforeAll(() => void (results = mkdtempSync(path.join(tmpdir(), 'tabgrad-example-'))));
afterAll(() => rmSync(results, { recursive: true }));

it('the lesson of examples/flights/train.ts runs as it is written, on fewer flights', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/flights/train.ts'],
    {
      cwd: root,
      timeout: 100_000,
      env: { ...process.env, TABGRAD_ROWS: '60000', TABGRAD_ROUNDS: '3', TABGRAD_RESULTS: results },
    },
  );
  const result = JSON.parse(
    readFileSync(path.join(results, 'flights', 'result.json'), 'utf8'),
  ) as ResultRecord;
  expect(result).toMatchObject({
    status: 'finished',
    rounds: 3,
    datasetRows: { train: 42_000, valid: 18_000 },
  });
  expect(result.workers).toHaveLength(4);
  expect(result.workers.reduce((rows, worker) => rows + worker.rows, 0)).toBe(42_000);
  expect(result.metrics['valid-auc']).toBeGreaterThan(0.6);
  expect(stdout).toMatch(/hour +weekday +day_of_year +distance +origin +destination +is_late +predictions/);
}, 120_000);
