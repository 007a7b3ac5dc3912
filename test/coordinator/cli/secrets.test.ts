// Secrets stay out of everything that is written: what commands print, what they complain of, and every file they leave.

import { readdir, readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { s3Environment, s3Url, startS3Server, type S3Server } from '../core/blobs/s3Server.ts';
import { runTabgrad, startTabgrad, type Ended } from './runTabgrad.ts';

const secrets = {
  TABGRAD_TOKEN: 'marked-join-token',
  TABGRAD_ADMIN_TOKEN: 'marked-admin-token',
  TABGRAD_TURN_SECRET: 'marked-turn-secret',
  TABGRAD_API_KEY: 'marked-api-key',
} as const;
const databaseUrl = 'postgres://owner:marked-password@127.0.0.1:1/nowhere';
/** What every one of them has in it; the S3 key of the test's server, too. */
const MARK = 'marked-';
const env = { ...secrets, ...s3Environment, TABGRAD_ICE: 'turn:turn.example.org' };

describe('secrets', () => {
  let folder: string;
  let s3: S3Server;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tabgrad-secrets-'));
    s3 = await startS3Server();
  });
  afterAll(async () => {
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  });

  const expectClean = ({ stdout, stderr }: Ended): void => {
    expect(stdout).not.toContain(MARK);
    expect(stderr).not.toContain(MARK);
  };

  it('are not in errors, with their causes or as JSON', { timeout: 180_000 }, async () => {
    const up = ['up', '--port', '0', '--storage', join(folder, 'failing')];
    for (const style of ['--verbose', '--json']) {
      const refused = await runTabgrad([...up, style], {
        env: { ...env, TABGRAD_DATABASE_URL: databaseUrl },
      });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('STORAGE_FAILED');
      expectClean(refused);
      const malformed = { ...env, TABGRAD_DATABASE_URL: 'postgres://owner:marked-password@[/nowhere' };
      expectClean(await runTabgrad([...up, style], { env: malformed }));
      const bucket = s3Url(s3, 'p').replace('shards', 'other');
      const unreachable = await runTabgrad([...up, '--blobs', bucket, style], { env });
      expect(unreachable.stderr).toContain('NoSuchBucket');
      expectClean(unreachable);
    }
    const away = { env: { ...env, TABGRAD_URL: 'http://127.0.0.1:1' } };
    for (const words of [['status'], ['runs'], ['worker']]) {
      const ended = await runTabgrad([...words, '--verbose'], away);
      expect(ended.stderr).toContain('COORDINATOR_UNREACHABLE');
      expectClean(ended);
    }
  });

  it('are not in the complaint of a tab that can not be opened', async () => {
    const starting = startLocalWorkers({
      url: 'http://127.0.0.1:1',
      token: secrets.TABGRAD_TOKEN,
      count: 1,
      runtime: 'browser',
      device: 'cpu',
    });
    const error: unknown = await starting.catch((reason: unknown) => reason);
    expect(String(error)).toContain('ERR_UNSAFE_PORT');
    expect(String(error)).not.toContain(MARK);
  });

  it(
    'are not in what a coordinator, a worker and an owner print and keep over a whole run',
    { timeout: 180_000 },
    async () => {
      const storage = join(folder, 'storage');
      const up = startTabgrad(
        [
          'up',
          '--port',
          '0',
          '--storage',
          storage,
          '--blobs',
          s3Url(s3, 'run'),
          '--json',
          '--workers',
          '1',
          '--device',
          'cpu',
        ],
        { env },
      );
      const printed = await up.printed('joined');
      const { url } = JSON.parse(printed.split('\n')[0]!) as { url: string };
      const data = join(folder, 'rows.csv');
      await writeFile(data, `x,y\n${Array.from({ length: 200 }, (_, i) => `${i},${i % 3}`).join('\n')}\n`);
      const config = join(folder, 'train.json');
      await writeFile(
        config,
        JSON.stringify({
          trainer: 'gbdt',
          data: { train: data },
          labelColumn: 'y',
          params: { objective: 'reg:squarederror', max_depth: 2 },
          numBoostRound: 2,
          scalingConfig: { numWorkers: 1, url },
          runConfig: { storagePath: join(folder, 'results'), name: 'kept' },
        }),
      );
      const owner = { env: { ...env, TABGRAD_URL: url } };
      const trained = await runTabgrad(['train', config, '--verbose'], owner);
      expect([trained.code, trained.stderr]).toEqual([0, '']);
      const wrong = await runTabgrad(['worker', '--url', url, '--token', 'marked-wrong', '--device', 'cpu'], {
        env,
      });
      expect(wrong.stderr).toContain('token is missing or wrong');
      const refused = await runTabgrad(['runs', '--token', 'marked-other', '--verbose'], owner);
      expect(refused.stderr).toContain('TOKEN_REQUIRED');
      const runs = await runTabgrad(['runs', '--json'], owner);
      expect(runs.stdout).toContain('"kept"');
      const logs = await runTabgrad(['logs', 'kept', '--json'], owner);
      expect(logs.stdout).toContain('"round"');
      up.signal('SIGTERM');
      for (const ended of [await up.ended, trained, wrong, refused, runs, logs]) expectClean(ended);
      // Shards and trees went to the bucket, the rest to files.
      expect(s3.objects.size).toBeGreaterThan(1);
      for (const { bytes } of s3.objects.values()) expect(bytes.includes(MARK)).toBe(false);
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['tabgrad.db', 'result.json']));
      for (const { parentPath, name } of files) {
        expect((await readFile(join(parentPath, name))).includes(MARK), name).toBe(false);
      }
    },
  );
});
