import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere } from './runHere.ts';
import { runTabgrad, startTabgrad, type Running } from './runTabgrad.ts';

/** A server that is no coordinator, and takes a port. */
let foreign: Server;
let foreignPort: number;
let up: Running;
let url: string;
let joinUrl: string;

beforeAll(async () => {
  foreign = createServer((_request, response) => response.end('<html>hello</html>'));
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  foreignPort = (foreign.address() as AddressInfo).port;
  up = startTabgrad([
    'up',
    '--port',
    '0',
    '--admin-token',
    'secret-admin',
    '--token',
    'secret-join',
    '--json',
  ]);
  const first = (await up.printed('\n')).split('\n')[0] ?? '';
  ({ url } = JSON.parse(first) as { url: string });
  // A pipe is shown no token; `tabgrad status` has the whole link.
  joinUrl = `${url}/join#token=secret-join`;
});
afterAll(async () => {
  up.signal('SIGKILL');
  await up.ended;
  await new Promise((resolve) => foreign.close(resolve));
});

const asked = (...words: string[]) => runHere([...words, '--url', url, '--token', 'secret-admin']);

describe('a coordinator that is up', () => {
  it('tells its status, as text and as JSON', async () => {
    const text = await asked('status');
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toContain(`coordinator ${url}`);
    expect(text.stdout).toContain('workers: 0');
    expect(text.stdout).toContain(joinUrl);
    const json = await asked('status', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ url, workers: [], runs: [] });
  });

  it('is found by its join link, too', async () => {
    const { code, stdout } = await runHere(['status', '--url', joinUrl, '--token', 'secret-admin']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, expect.stringContaining(`coordinator ${url}`)]);
  });

  it('tells that it has no runs', async () => {
    expect((await asked('runs')).stdout).toBe('no runs yet\n');
    expect((await asked('runs', '--json')).stdout).toBe('');
  });

  it.each(['logs', 'stop'])('has no run that could be asked for by %s', async (command) => {
    const { code, stderr } = await asked(command, 'flights');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error RUN_UNKNOWN: .*no run "flights"\. It has none\.\n$/);
  });

  it('turns away who has no admin token', async () => {
    // As another account, which has a folder of its own.
    const env = { TABGRAD_STATE_DIR: join(tmpdir(), 'tabgrad-of-another') };
    const { code, stderr } = await runHere(['runs', '--url', url], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('error TOKEN_REQUIRED: A token is required');
  });

  it('takes the token from the environment', async () => {
    const env = { TABGRAD_URL: url, TABGRAD_ADMIN_TOKEN: 'secret-admin' };
    expect((await runTabgrad(['runs', '--quiet'], { env })).code).toBe(0);
  });

  it('does not take a worker with a wrong token', async () => {
    const { code, stderr } = await runTabgrad([
      'worker',
      '--url',
      url,
      '--token',
      'wrong',
      '--device',
      'cpu',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('error WORKER_START_FAILED');
    expect(stderr).not.toContain('wrong"');
  });

  it('takes a worker with the right one, which leaves at Ctrl-C with exit code 130', async () => {
    const env = { TABGRAD_STATE_DIR: join(tmpdir(), 'tabgrad-of-another') };
    const worker = startTabgrad(['worker', '--url', joinUrl, '--device', 'cpu', '--json'], { env });
    const joined = await worker.printed('"joined"');
    const line = joined.split('\n').find((text) => text.includes('"joined"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ type: 'joined', device: { kind: 'cpu' } });
    expect((await asked('status')).stdout).toContain('workers: 1');
    worker.signal('SIGINT');
    expect((await worker.ended).code).toBe(130);
  });
});

describe('a run that waits for a worker', () => {
  it('is told by logs as far as it is, and by logs --follow until it ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tabgrad-logs-'));
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 2}`).join('\n');
    writeFileSync(join(folder, 'rows.csv'), `x,y\n${rows}\n`);
    const config = {
      trainer: 'gbdt',
      data: { train: 'rows.csv' },
      labelColumn: 'y',
      params: { objective: 'binary:logistic' },
      numBoostRound: 2,
      scalingConfig: { numWorkers: 1 },
      runConfig: { name: 'waits', storagePath: 'results' },
    };
    writeFileSync(join(folder, 'waits.json'), JSON.stringify(config));
    const train = startTabgrad(['train', 'waits.json', '--url', url, '--token', 'secret-admin'], {
      cwd: folder,
    });
    try {
      await train.printed('waiting');
      const kept = await asked('logs', 'waits');
      expect([kept.code, kept.stderr]).toEqual([0, '']);
      expect(kept.stdout).toMatch(/^waiting for 1 more worker.*\n$/);
      const following = startTabgrad(['logs', 'waits', '--follow', '--url', url, '--token', 'secret-admin']);
      await following.printed('waiting');
      const watching = startTabgrad(['status', '--watch', '--json', '--url', url, '--token', 'secret-admin']);
      await watching.printed('"name":"waits"');
      watching.signal('SIGINT');
      expect((await watching.ended).code).toBe(130);
      expect((await asked('stop', 'waits')).code).toBe(0);
      const { code, stdout } = await following.ended;
      expect([code, stdout.split('\n').at(-2)]).toEqual([0, 'stopped']);
      expect((await asked('logs', 'waits')).stdout).toBe(stdout);
      const plot = ['plot', 'waits', '--output', 'waits.svg', '--url', url, '--token', 'secret-admin'];
      expect(await runHere(plot, { cwd: folder })).toEqual({
        code: 0,
        stdout: 'wrote waits.svg\n',
        stderr: '',
      });
    } finally {
      train.signal('SIGKILL');
      await train.ended;
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a config with a project', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tabgrad-project-'));
    const values = Array.from({ length: 40 }, (_, i) => `${i},${i % 2}\n`);
    writeFileSync(join(folder, 'rows.csv'), `a,b\n${values.join('')}`);
    writeFileSync(join(folder, 'birds.yaml'), 'title: Which bird sings here?\ncontact: ada@example.org\n');
    const config = { trainer: 'gbdt', data: { train: 'rows.csv' }, labelColumn: 'b', numBoostRound: 1 };
    writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...config, project: 'birds.yaml' }));
    writeFileSync(join(folder, 'lost.json'), JSON.stringify({ ...config, project: 'gone.yaml' }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tells volunteers of it before it trains', async () => {
    const training = startTabgrad([
      'train',
      join(folder, 'run.json'),
      '--url',
      url,
      '--token',
      'secret-admin',
    ]);
    await training.printed('wait');
    expect(await (await fetch(`${url}/project.json`)).json()).toEqual({
      title: 'Which bird sings here?',
      contact: 'ada@example.org',
    });
    training.signal('SIGINT');
    expect((await training.ended).code).toBe(130);
  });

  it.each([
    ['run.json', [], 'error CONFIG_INVALID', 'project is for volunteers'],
    ['lost.json', ['--url'], 'error CONFIG_UNREADABLE', 'gone.yaml'],
  ])('%s with %j is refused', async (file, flags, code, words) => {
    const { stderr } = await runHere([
      'train',
      join(folder, file),
      ...flags.flatMap((flag) => [flag, url, '--token', 'secret-admin']),
    ]);
    expect(stderr).toContain(code);
    expect(stderr).toContain(words);
  });
});

describe('addresses and ports', () => {
  it('a port in use is a coded error', async () => {
    const { code, stderr } = await runTabgrad(['up', '--port', String(foreignPort)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error PORT_IN_USE: .*\n$/);
    expect(stderr).toContain(String(foreignPort));
  });

  it.each(['status', 'runs', 'worker'])('%s says that nobody answers at an address', async (command) => {
    const { code, stderr } = await runHere([command, '--url', 'http://127.0.0.1:9']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error COORDINATOR_UNREACHABLE: .*http:\/\/127\.0\.0\.1:9.*\n$/);
  });

  it('a server that is no coordinator is told apart', async () => {
    const { code, stderr } = await runHere(['status', '--url', `http://127.0.0.1:${foreignPort}`]);
    expect(code).toBe(1);
    expect(stderr).toContain('is no tabgrad coordinator of this version: status 200, <html>');
  });
});

describe('ending', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s closes the coordinator in order with exit code %d', async (name, code) => {
    const running = startTabgrad(['up', '--port', '0']);
    await running.printed('Ctrl-C ends it.');
    running.signal(name);
    const ended = await running.ended;
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain('Ending in order; press Ctrl-C again to end at once.');
  });
});
