// Tokens and unwanted workers on the command line: what owners see, and what other accounts of the machine can do.

import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { runHere } from './runHere.ts';
import { startTabgrad, type Ended, type Running } from './runTabgrad.ts';

interface Up {
  readonly type: 'up';
  readonly url: string;
  readonly joinUrl: string;
  readonly tokenFile: string;
  readonly adminToken?: string;
}

let folder: string;
const running: Running[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-cli-tokens-'));
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.signal('SIGKILL');
    await one.ended;
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (words: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runHere(words, { cwd: folder, env });

async function startUp(words: readonly string[] = [], env: Record<string, string> = {}): Promise<Up> {
  const up = startTabgrad(['up', '--port', '0', '--json', ...words], { env });
  running.push(up);
  const [line = ''] = (await up.printed('\n')).split('\n');
  return JSON.parse(line) as Up;
}

const json = ({ stdout, stderr }: Ended): unknown => {
  expect(stderr).toBe('');
  return JSON.parse(stdout) as unknown;
};
const tokensOf = async ({ tokenFile }: Up) =>
  JSON.parse(await readFile(tokenFile, 'utf8')) as { adminToken: string; joinToken: string };

describe('tabgrad up', () => {
  it('tells a pipe where the tokens are and never the admin token; the join token once, where it was made', async () => {
    const storage = join(folder, 'storage');
    const first = await startUp(['--storage', storage]);
    const { adminToken, joinToken } = await tokensOf(first);
    expect((await stat(first.tokenFile)).mode & 0o777).toBe(0o600);
    expect(first.joinUrl).toBe(`${first.url}/join#token=${joinToken}`);
    expect(first.adminToken).toBeUndefined();
    const [up] = running.splice(0);
    up!.signal('SIGTERM');
    const ended = await up!.ended;
    expect(ended.stdout + ended.stderr).not.toContain(adminToken);
    await expect(stat(first.tokenFile)).rejects.toMatchObject({ code: 'ENOENT' });
    const second = await startUp(['--storage', storage]);
    expect(await tokensOf(second)).toMatchObject({ adminToken, joinToken });
    expect(second.joinUrl).toBe(`${second.url}/join`);
    const plain = startTabgrad(['up', '--port', '0', '--host', '0.0.0.0']);
    running.push(plain);
    const text = await plain.printed('Ctrl-C ends it.');
    const file = /^tokens {8}(.*), for your commands on this machine$/m.exec(text)?.[1];
    const made = await tokensOf({ ...second, tokenFile: file! });
    expect(text).toContain(`/join#token=${made.joinToken}\n`);
    expect(text).not.toContain(made.adminToken);
  });

  it('is up also where its tokens can not be left, and says so', async () => {
    const up = startTabgrad(['up', '--port', '0', '--json'], { env: { TABGRAD_STATE_DIR: '/dev/null' } });
    running.push(up);
    expect(JSON.parse(await up.printed('\n'))).not.toHaveProperty('tokenFile');
    up.signal('SIGTERM');
    const lines = (await up.ended).stderr.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        type: 'log',
        level: 'warn',
        message: expect.stringMatching(/can not be kept in \/dev\/null.*TABGRAD_ADMIN_TOKEN/) as string,
      }),
    );
  });

  it('does not start with tokens that can not be used', async () => {
    const same = { TABGRAD_TOKEN: 'same', TABGRAD_ADMIN_TOKEN: 'same' };
    for (const env of [{ TABGRAD_TOKEN: 'x'.repeat(300) }, same]) {
      const { code, stdout, stderr } = await run(['up', '--port', '0'], env);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^error TOKEN_INVALID: .*token/);
    }
  });
});

describe('The owner of a coordinator', () => {
  it('types no token on the same machine, by any address of it; workers join without one, too', async () => {
    const { url } = await startUp(['--host', '0.0.0.0']);
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const outside = own.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const addresses = [url, url.replace('127.0.0.1', 'localhost')];
    if (outside !== undefined) addresses.push(url.replace('127.0.0.1', outside));
    for (const address of addresses) {
      expect(json(await run(['status', '--json', '--url', address]))).toMatchObject({ workers: [] });
    }
    const worker = startTabgrad(['worker', '--url', url, '--device', 'cpu', '--json']);
    running.push(worker);
    await worker.printed('"joined"');
  });

  it('trains, predicts and tunes on it without a token', async () => {
    const { url } = await startUp(['--workers', '1', '--device', 'cpu']);
    await running[0]!.printed('joined');
    const env = { TABGRAD_URL: url };
    const rows = join(folder, 'rows.csv');
    await writeFile(rows, `x,y\n${Array.from({ length: 90 }, (_, i) => `${i},${i % 3}`).join('\n')}\n`);
    const file = join(folder, 'train.json');
    const settings = {
      trainer: 'gbdt',
      data: { train: rows },
      labelColumn: 'y',
      params: { objective: 'reg:squarederror', max_depth: 2 },
      numBoostRound: 2,
      scalingConfig: { numWorkers: 1 },
      runConfig: { storagePath: join(folder, 'results'), name: 'kept' },
      tune: {
        paramSpace: { params: { max_depth: { choice: [1, 2] } } },
        metric: 'train-rmse',
        mode: 'min',
        numSamples: 2,
      },
    };
    await writeFile(file, JSON.stringify(settings));
    const trained = await run(['train', file, '--quiet', '--url', url]);
    expect([trained.code, trained.stderr]).toEqual([0, '']);
    const words = ['--checkpoint', join(folder, 'results/kept/checkpoints/2'), '--data', rows];
    const predicted = await run(['predict', ...words, '--out', join(folder, 'out.csv'), '--url', url]);
    expect([predicted.code, predicted.stderr]).toEqual([0, '']);
    await writeFile(
      file,
      JSON.stringify({ ...settings, runConfig: { ...settings.runConfig, name: 'tuned' } }),
    );
    const tuned = await run(['tune', file, '--quiet', '--url', url]);
    expect([tuned.code, tuned.stderr]).toEqual([0, '']);
    expect((await run(['logs', 'kept', '--quiet'], env)).code).toBe(0);
    expect((await run(['stop', 'kept'], env)).stdout).toContain('is over already: finished');
  });

  it('changes tokens, and goes on without typing the new ones', async () => {
    const up = await startUp();
    const at = ['--url', up.url];
    const before = await tokensOf(up);
    const worker = startTabgrad(['worker', ...at, '--device', 'cpu', '--json']);
    running.push(worker);
    await worker.printed('"joined"');
    const shown = await run(['token', 'show', 'admin', ...at]);
    expect(shown.stdout).toBe(`${before.adminToken}\n`);
    const rotated = json(await run(['token', 'rotate', 'admin', '--json', ...at])) as {
      token: string;
    };
    expect((await tokensOf(up)).adminToken).toBe(rotated.token);
    const stale = await run(['runs', ...at, '--token', before.adminToken]);
    expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining('error TOKEN_REQUIRED')]);
    const joinable = json(await run(['token', 'rotate', 'join', '--disconnect', '--json', ...at])) as {
      token: string;
      joinUrl: string;
      removed: string[];
    };
    expect(joinable).toMatchObject({ kind: 'join', joinUrl: `${up.url}/join#token=${joinable.token}` });
    expect(joinable.removed).toHaveLength(1);
    expect(await worker.ended).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('sentAway: the join token was changed') as string,
    });
    expect((await run(['token', 'show', 'join', ...at])).stdout).toBe(`${joinable.token}\n`);
    expect((await tokensOf(up)).joinToken).toBe(joinable.token);
    const text = await run(['token', 'rotate', 'join', ...at]);
    const { joinToken } = await tokensOf(up);
    expect(text.stdout).toBe(`${joinToken}\nto lend a tab open ${up.url}/join#token=${joinToken}\n`);
  });

  it('invites so many for so long, lists that, and takes it back', async () => {
    const { url } = await startUp();
    const at = ['--url', url];
    const words = ['invite', '--count', '1', '--expires', '2h', '--name', 'class 7b'];
    const made = json(await run([...words, '--json', ...at])) as { invitationId: string; joinUrl: string };
    expect(made).toMatchObject({ count: 1, used: 0, state: 'open', isTrusted: false });
    const worker = startTabgrad(['worker', '--url', made.joinUrl, '--device', 'cpu', '--json']);
    running.push(worker);
    await worker.printed('"joined"');
    expect((await run(['invite', 'list', ...at])).stdout).toBe(
      `${made.invitationId}  class 7b  1 of 1 worker  used up    ${made.joinUrl}\n`,
    );
    const late = startTabgrad(['worker', '--url', made.joinUrl, '--device', 'cpu']);
    running.push(late);
    const refused = await late.ended;
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('INVITATION_USED_UP')]);
    const revoked = await run(['invite', 'revoke', made.invitationId, '--disconnect', ...at]);
    expect(revoked.stdout).toMatch(new RegExp(`^revoked ${made.invitationId}\nremoved w-\\w+\n$`));
    expect((await worker.ended).stdout).toContain('sentAway: the invitation was revoked');
    expect((await run(['invite', 'list', ...at])).stdout).toBe('no invitations\n');
    expect((await run(['invite', '--trusted', ...at])).stdout).toMatch(
      /^to lend a tab open http:\S+#token=\S+\ninvitation {4}i-\w+, for 1 worker until \S+ \S+ UTC\n$/,
    );
    expect((await run(['invite', 'list', ...at])).stdout).toMatch(
      / 0 of 1 worker {2}until .* {2}owner's {2}http/,
    );
    const unknown = await run(['invite', 'revoke', 'i-none', ...at]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('error INVITATION_UNKNOWN')]);
  });

  it('sees the lies of workers, and pardons them', async () => {
    const coordinator = await startCoordinator({ port: 0, log: () => undefined });
    try {
      const at = ['--url', coordinator.url, '--token', coordinator.tokens.admin];
      const evidence = { what: 'told another histogram', round: 12, claimed: 'aa', found: 'bb' };
      coordinator.pool.convict('w-liar', evidence);
      await expect.poll(() => coordinator.moderation.bans()).toHaveLength(1);
      expect((await run(['workers', 'bans', ...at])).stdout).toMatch(
        /^worker {2}w-liar {2}.* {2}told another histogram \(round 12, claimed aa, found bb\)\n$/,
      );
      const lies = [{ workerId: 'w-liar', evidence, foundAtMs: expect.any(Number) as number }];
      expect(json(await run(['workers', 'bans', '--json', ...at]))).toMatchObject({ value: 'w-liar', lies });
      expect((await run(['workers', 'pardon', 'w-liar', ...at])).stdout).toBe(
        'lifted the ban of worker w-liar\npardoned: told another histogram\n',
      );
      expect((await run(['workers', 'pardon', 'w-liar', ...at])).code).toBe(2);
      coordinator.pool.convict('w-liar', evidence);
      expect(json(await run(['workers', 'pardon', 'w-liar', '--json', ...at]))).toMatchObject({
        lifted: [{ value: 'w-liar' }],
        pardoned: lies,
      });
    } finally {
      await coordinator.close();
    }
  });

  it('sends workers away, bans them, and lets them in again', async () => {
    const { url } = await startUp();
    const at = ['--url', url];
    const worker = startTabgrad(['worker', ...at, '--device', 'cpu', '--json']);
    running.push(worker);
    await worker.printed('"joined"');
    const listed = await run(['workers', ...at, '--json']);
    const { workerId } = JSON.parse(listed.stdout) as { workerId: string };
    expect((await run(['workers', 'list', ...at])).stdout).toMatch(
      new RegExp(`^${workerId} .*node .*unproven, 0 checks  127\\.0\\.0\\.1\n$`),
    );
    expect((await run(['workers', 'drain', workerId, ...at])).stdout).toBe(`${workerId} gets no more work\n`);
    expect((await run(['workers', ...at])).stdout).toContain('leaving: drained by the owner');
    expect((await run(['workers', 'undrain', workerId, ...at])).stdout).toContain('gets work again');
    const words = ['workers', 'remove', workerId, '--ban', '--reason', 'wrong sums', ...at];
    expect((await run(words)).stdout).toBe(`removed ${workerId}\nbanned worker ${workerId}\n`);
    expect((await worker.ended).stdout).toContain('sentAway: wrong sums');
    expect((await run(['workers', 'ban', '192.0.2.7', ...at])).stdout).toBe('banned address 192.0.2.7\n');
    expect((await run(['workers', 'bans', ...at])).stdout).toMatch(
      new RegExp(
        `^worker {3}${workerId} {2}20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d {2}wrong sums\naddress {2}192\\.0\\.2\\.7 .*removed by the owner\n$`,
      ),
    );
    expect((await run(['workers', 'unban', workerId, ...at])).stdout).toBe(
      `lifted the ban of worker ${workerId}\n`,
    );
    const none = await run(['workers', 'unban', workerId, ...at]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining(`no ban of "${workerId}"`)]);
    const gone = await run(['workers', 'remove', workerId, ...at]);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('error WORKER_UNKNOWN')]);
    const here = await run(['workers', 'ban', '127.0.0.1', ...at]);
    expect([here.code, here.stderr]).toEqual([1, expect.stringContaining('is this machine')]);
    expect(JSON.parse((await run(['workers', 'bans', '--json', ...at])).stdout)).toMatchObject({
      kind: 'address',
      value: '192.0.2.7',
    });
  });

  it.each([
    [['invite', 'revok', 'i-1'], 'Did you mean "revoke"?'],
    [['invite', 'revoke'], '"tabgrad invite revoke" needs an ID after it'],
    [['invite', 'list', '--count', '2'], '--count does not go together with list'],
    [['invite', '--disconnect'], '--disconnect does not go together with make'],
    [['invite', '--expires', '2 weeks'], '--expires expects a time like 30m, 2h or 7d'],
    [['invite', '--expires', '0h'], '--expires expects a time'],
    [['invite', '--expires', '366d'], '--expires expects a time'],
    [['invite', '--count', '0'], '--count expects a whole number from 1'],
    [
      ['up', '--max-unproven-share', '1.5'],
      '--max-unproven-share expects a number from 0 to 1, but got "1.5"',
    ],
    [['up', '--max-unproven-share', '50%'], '--max-unproven-share expects a number from 0 to 1'],
    [['up', '--max-unproven-share', '.'], '--max-unproven-share expects a number from 0 to 1'],
    [['workers', 'remoev', 'w-1'], 'Did you mean "remove"?'],
    [['workers', 'remove'], '"tabgrad workers remove" needs an ID after it'],
    [['workers', 'bans', 'w-1'], 'Nothing is expected at "w-1"'],
    [['workers', '--ban'], '--ban does not go together with list'],
    [['workers', 'ban', '192.0.2.7', '--ban-address'], '--ban-address does not go together with ban'],
    [['workers', 'unban', 'w-1', '--reason', 'x'], '--reason does not go together with unban'],
    [['workers', 'pardon'], '"tabgrad workers pardon" needs an ID after it'],
    [['token', 'rotate'], 'KIND is missing'],
    [['token', 'rotate', 'jion'], 'Did you mean "join"?'],
    [['token', 'make', 'join'], 'ACTION must be rotate or show'],
    [['token', 'rotate', 'admin', '--disconnect'], '--disconnect goes together with rotate join'],
    [['token', 'show', 'join', '--disconnect'], '--disconnect goes together with rotate join'],
  ])('is told what is wrong with %j', async (words, message) => {
    const { code, stderr } = await run([...words, '--url', 'http://127.0.0.1:9']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

/** What a program of another account tries, with nothing but Node. Prints a JSON value. */
const ATTACK = `
  const [url, tokenFile] = process.argv.slice(1);
  const http = require('node:http');
  const fs = require('node:fs');
  const code = 'export const run = () => require("node:child_process").execSync("id").toString();';
  const sha256 = require('node:crypto').createHash('sha256').update(code).digest('hex');
  const ask = async (path, method, body) => (await fetch(url + path, { method, body })).status;
  const upgrade = (path) => new Promise((resolve) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64') };
    const request = http.get(url + path, { headers });
    request.on('response', (answer) => resolve(answer.statusCode));
    request.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); });
    request.on('error', (error) => resolve(error.code));
  });
  const read = () => { try { return fs.readFileSync(tokenFile, 'utf8'); } catch (error) { return error.code; } };
  (async () => console.log(JSON.stringify({
    uid: process.getuid(),
    file: read(),
    upload: await ask('/blobs/' + sha256, 'PUT', code),
    status: await ask('/api/v1/status', 'GET'),
    run: await ask('/api/v1/runs', 'POST', '{}'),
    rotate: await ask('/api/v1/tokens/admin', 'POST', '{}'),
    programs: await upgrade('/api/v1/programs'),
  })))();`;

describe('Another account of the machine', () => {
  const isRoot = process.getuid?.() === 0;
  const NOBODY = 65_534;

  /** Runs as another user where this one may do that; else as one who has another home. */
  function attack(url: string, tokenFile: string): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['-e', ATTACK, url, tokenFile], {
        cwd: '/',
        env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: 30_000,
        ...(isRoot && { uid: NOBODY, gid: NOBODY }),
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      child.once('error', reject);
      child.once('close', () => resolve(JSON.parse(text) as Record<string, unknown>));
    });
  }

  it('runs no code, reads no tokens and joins not, though local workers run code of the owner', async () => {
    // Others may enter the folders above: the file and its own folder are closed.
    const state = await mkdtemp(join(tmpdir(), 'tabgrad-open-'));
    await chmod(state, 0o755);
    const { url, tokenFile } = await startUp(['--workers', '1', '--device', 'cpu'], {
      TABGRAD_STATE_DIR: state,
      TABGRAD_TOKEN: 'guest',
    });
    await running[0]!.printed('joined');
    expect(await attack(url, tokenFile)).toEqual({
      uid: isRoot ? NOBODY : process.getuid!(),
      file: isRoot ? 'EACCES' : (expect.any(String) as string),
      upload: 401,
      status: 401,
      run: 401,
      rotate: 401,
      programs: 401,
    });
    // With a home of its own the command line finds nothing either.
    const stranger = { TABGRAD_STATE_DIR: join(folder, 'of-another') };
    const refused = await run(['worker', '--url', url, '--device', 'cpu'], stranger);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('token is missing or wrong')]);
    expect((await run(['status', '--url', url], stranger)).stderr).toContain('TOKEN_REQUIRED');
    await rm(state, { recursive: true, force: true });
  });
});
