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

it('examples/flights/loop.ts trains by a function that every worker runs', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/flights/loop.ts'],
    {
      cwd: path.resolve(import.meta.dirname, '../..'),
      timeout: 100_000,
      env: { ...process.env, TABGRAD_ROWS: '20000', TABGRAD_ROUNDS: '3', TABGRAD_RESULTS: results },
    },
  );
  const file = path.join(results, 'flights-loop', 'result.json');
  const result = JSON.parse(readFileSync(file, 'utf8')) as ResultRecord;
  expect(result).toMatchObject({ status: 'finished', rounds: 3 });
  expect(result.workers).toHaveLength(2);
  expect(stdout).toContain(`'valid-auc': ${result.metrics['valid-auc']}`);
}, 120_000);
