import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('the tables of docs/ are those that the code defines (npm run docs writes them)', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/docs.mjs', '--check'], {
    cwd: new URL('../../..', import.meta.url).pathname,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect(`${stdout}${stderr}`).toBe('docs are current\n');
  expect(status).toBe(0);
});
