import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { applicationsAnswer, type ToldApplication } from '../../../shared/api/servingAnswers.ts';
import { runTabgrad, startTabgrad } from '../cli/runTabgrad.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
beforeAll(() => void (models = makeServedModels()));
afterAll(() => models.remove());

/** Posts until a request was seen in a replica's hands, before its answer. */
async function requestInHand(url: string, body: string): Promise<{ readonly answer: Promise<Response> }> {
  for (;;) {
    const progress = { isOver: false };
    const answer = fetch(url, { method: 'POST', body });
    void answer.finally(() => (progress.isOver = true));
    while (!progress.isOver) {
      const metrics = await (await fetch(`${url}metrics`)).text();
      if (/serve_ongoing_requests{.*} 1\n/.test(metrics)) return { answer };
    }
  }
}

describe('tabgrad serve', () => {
  it('tells the coordinator of --url how it goes, and its end; --token alone is refused', async () => {
    const coordinator = await startCoordinator({ port: 0, adminToken: 'boss', log: () => undefined });
    try {
      const told = async (): Promise<ToldApplication | undefined> => {
        const headers = { authorization: 'Bearer boss' };
        const answer = await fetch(`${coordinator.url}/api/v1/applications`, { headers });
        return applicationsAnswer.parse(await answer.json()).applications[0];
      };
      const model = ['serve', '--checkpoint', models.late.checkpoint.modelPath];
      const words = [...model, '--port', '0', '--json', '--name', 'late'];
      const running = startTabgrad([...words, '--url', coordinator.url], {
        env: { TABGRAD_ADMIN_TOKEN: 'boss' },
      });
      const { url } = JSON.parse(await running.printed('\n')) as { url: string };
      await fetch(url, { method: 'POST', body: JSON.stringify(flights(2)) });
      let last = await told();
      while (last === undefined) last = await told();
      expect(last).toMatchObject({
        name: 'late',
        status: 'running',
        report: { url: url.replace(/\/$/, '') },
      });
      running.signal('SIGTERM');
      expect(await running.ended).toMatchObject({ code: 143, stderr: '' });
      expect(await told()).toMatchObject({ status: 'stopped', report: { byStatus: { 200: 1 } } });
      const refused = await runTabgrad([...model, '--token', 'boss']);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--url') as string });
    } finally {
      await coordinator.close();
    }
  });

  it('answers posted rows with predictions until it is told to end', async () => {
    const words = [
      'serve',
      '--checkpoint',
      models.late.checkpoint.modelPath,
      '--port',
      '0',
      '--json',
      '--replicas',
      '2',
    ];
    const running = startTabgrad([...words, '--access-log', '--route-prefix', '/late'], {
      env: { TABGRAD_API_KEY: 'k1' },
    });
    const { url } = JSON.parse(await running.printed('\n')) as { url: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/late$/);
    const rows = flights(300);
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(rows),
      headers: { 'x-api-key': 'k1' },
    });
    const answer = (await response.json()) as { predictions: number }[];
    const expected = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length);
    expect(answer.map(({ predictions }) => predictions)).toEqual([...expected]);
    await running.printed('"type":"request"');
    running.signal('SIGTERM');
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([143, '']);
    expect(stdout).not.toContain('k1');
    expect(JSON.parse(stdout.trim().split('\n')[1]!)).toMatchObject({
      status: 200,
      method: 'POST',
      path: '/late',
    });
  });

  it('answers what it has in hand when it is told to end, and takes no more', async () => {
    const words = ['serve', '--checkpoint', models.late.checkpoint.modelPath, '--port', '0', '--json'];
    const running = startTabgrad(words);
    const { url } = JSON.parse(await running.printed('\n')) as { url: string };
    const { answer } = await requestInHand(url, JSON.stringify(flights(200_000)));
    running.signal('SIGTERM');
    const response = await answer;
    expect(response.status).toBe(200);
    expect(await response.json()).toHaveLength(200_000);
    // Until its last connection is closed it still says no; then nothing listens.
    const refusal = await fetch(url).catch(() => undefined);
    expect(refusal?.status ?? 503).toBe(503);
    expect(await running.ended).toMatchObject({ code: 143, stderr: '' });
    await expect(fetch(url)).rejects.toThrow();
  });

  it('brings back what was deployed after a kill -9, without its checkpoint', async () => {
    const storage = mkdtempSync(path.join(tmpdir(), 'tabgrad-serving-'));
    const folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-checkpoint-'));
    cpSync(models.late.checkpoint.modelPath, path.join(folder, 'model.json'));
    const rows = flights(30);
    const expected = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length);
    const served = async (url: string): Promise<number[]> => {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(rows) });
      return ((await response.json()) as { predictions: number }[]).map(({ predictions }) => predictions);
    };
    const words = ['serve', '--storage', storage, '--port', '0', '--json'];
    const first = startTabgrad([
      ...words,
      '--checkpoint',
      folder,
      '--name',
      'late',
      '--route-prefix',
      '/late',
    ]);
    const { url } = JSON.parse(await first.printed('\n')) as { url: string };
    expect(await served(url)).toEqual([...expected]);
    first.signal('SIGKILL');
    await first.ended;
    rmSync(folder, { recursive: true });
    const second = startTabgrad(words);
    const { url: again } = JSON.parse(await second.printed('\n')) as { url: string };
    expect(new URL(again).pathname).toBe('/late');
    expect(await served(again)).toEqual([...expected]);
    second.signal('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 143, stderr: '' });
    rmSync(storage, { recursive: true });
  });

  it('warns, in every style, where others can ask without a key; with a key it does not', async () => {
    const words = [
      'serve',
      '--checkpoint',
      models.late.checkpoint.modelPath,
      '--port',
      '0',
      '--host',
      '0.0.0.0',
    ];
    const stderrOf = async (style: string, env: Record<string, string> = {}): Promise<string> => {
      const running = startTabgrad([...words, style], { env });
      if (style !== '--quiet') await running.printed('\n');
      else await running.warned('\n');
      running.signal('SIGTERM');
      return (await running.ended).stderr;
    };
    const warning =
      /^serve: ANYBODY WHO REACHES 0\.0\.0\.0, port \d+, GETS PREDICTIONS, without a key\. .*TABGRAD_API_KEY/;
    const [line = ''] = (await stderrOf('--json')).split('\n');
    expect(JSON.parse(line)).toMatchObject({
      type: 'log',
      level: 'warn',
      message: expect.stringMatching(warning) as string,
    });
    expect(await stderrOf('--quiet')).toMatch(/^\S+ warning: serve: ANYBODY WHO REACHES/);
    expect(await stderrOf('--json', { TABGRAD_API_KEY: 'k1' })).toBe('');
  });

  it('needs something to serve', async () => {
    const { code, stderr } = await runTabgrad(['serve', '--port', '0', '--json']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/BAD_ARGUMENT.*give --checkpoint DIR, or a --storage/),
    ]);
  });

  it('says what is wrong with a checkpoint that is none, and ends', async () => {
    const { code, stderr } = await runTabgrad(['serve', '--checkpoint', '/nowhere', '--port', '0', '--json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/CHECKPOINT_INVALID.*No checkpoint at \/nowhere/);
  });
});
