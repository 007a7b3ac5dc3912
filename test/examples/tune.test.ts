import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

let results = '';
beforeAll(() => void (results = mkdtempSync(path.join(tmpdir(), 'tabgrad-example-'))));
afterAll(() => rmSync(results, { recursive: true }));

it('examples/flights/tune.ts runs as it is written, on fewer flights', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/flights/tune.ts'],
    {
      cwd: path.resolve(import.meta.dirname, '../..'),
      timeout: 100_000,
      env: { ...process.env, TABGRAD_ROWS: '30000', TABGRAD_ROUNDS: '3', TABGRAD_RESULTS: results },
    },
  );
  expect(stdout.match(/trial_0000\d' │ 'finished'/g)).toHaveLength(3);
  expect(stdout).toMatch(/best \{ 'params\.max_depth': [468] \}/);
  expect(stdout).toMatch(/hour +weekday +distance +origin +destination +is_late +predictions/);
}, 120_000);
