import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainOracle } from '../oracle/xgboost.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-serve-example-'));
  const names = ['hour', 'weekday', 'day_of_year', 'distance'];
  const columns = names.map((_, f) => Float32Array.from({ length: 200 }, (_, row) => (row * (f + 7)) % 24));
  const labels = columns[0]!.map((hour) => Number(hour > 15));
  const { booster } = trainOracle({ objective: 'binary:logistic', max_depth: 2 }, { columns, labels }, 3);
  const model = JSON.parse(booster.save()) as { learner: Record<string, unknown> };
  model.learner['feature_names'] = names;
  model.learner['feature_types'] = names.map(() => 'float');
  mkdirSync(path.join(folder, '9'));
  mkdirSync(path.join(folder, '10'));
  writeFileSync(path.join(folder, '10', 'model.json'), JSON.stringify(model));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('examples/flights/serve.ts serves the newest checkpoint and ends on Ctrl-C', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/flights/serve.ts'], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    timeout: 30_000,
    env: { ...process.env, TABGRAD_CHECKPOINTS: folder, TABGRAD_SERVE_PORT: '0' },
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
    if (stdout.includes('Ctrl-C')) child.kill('SIGINT');
  });
  expect([await ended, stderr]).toEqual([0, '']);
  const [early, late] = [...stdout.matchAll(/predictions: ([\d.]+)/g)].map(([, value]) => Number(value));
  expect(early).toBeLessThan(0.5);
  expect(late).toBeGreaterThan(0.5);
}, 40_000);
