import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readParquet } from '../../coordinator/index.ts';
import type { ResultRecord } from '../../coordinator/train/result.ts';

let results = '';
beforeAll(() => void (results = mkdtempSync(path.join(tmpdir(), 'tabgrad-start-'))));
afterAll(() => rmSync(results, { recursive: true }));

it('npm start goes through the whole lesson, and answers predictions until it is told to end', async () => {
  const program = ['scripts/start.mjs', '--rows', '20000', '--rounds', '2', '--tune-rows', '10000'];
  const places = ['--port', '0', '--serve-port', '0', '--results', results];
  const child = spawn(process.execPath, [...program, ...places], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 140_000,
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const isUp = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString();
      if (stdout.includes('until Ctrl-C')) resolve();
    });
  });
  await Promise.race([isUp, ended]);

  // What the printed curl line sends, sent once more.
  const [, url = '', body = ''] = /curl -s (\S+) .* -d '(.*)'/.exec(stdout) ?? [];
  const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(10_000) });
  const [answer] = (await response.json()) as { predictions: number }[];
  expect(stdout).toContain(`answered   ${JSON.stringify([answer])}`);
  child.kill('SIGTERM');
  expect([await ended, stderr]).toEqual([143, '']);

  const trained = JSON.parse(readFileSync(path.join(results, 'flights/result.json'), 'utf8')) as ResultRecord;
  expect(trained.workers.map(({ runtime }) => runtime).sort()).toEqual(['browser', 'deno', 'node', 'node']);
  expect(stdout).toMatch(/Tune {2}max_depth over three trials, each on 10,000 of the flights and one worker/);
  expect(stdout).toMatch(/best of 3 trials in .*: max_depth [468] {2}logloss 0\.\d+ {2}auc 0\.\d+/);
  expect(stdout).toMatch(/predicted 6,000 flights/);
  const predicted = readParquet(path.join(results, 'flights/predictions'));
  expect(await predicted.count()).toBe(6000);
  const [first] = await predicted.take(1);
  expect(first?.['predictions']).toBeCloseTo(answer!.predictions, 6);
}, 150_000);
