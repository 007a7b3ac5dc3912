// The file by which an owner's commands find the tokens of a coordinator on this machine, and nobody else does.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressOf, knownCoordinator } from '../../../../coordinator/cluster/remote/knownCoordinator.ts';
import { ownerAccess } from '../../../../coordinator/cluster/remote/ownerAccess.ts';
import { publishTokens, type PublishedTokens } from '../../../../coordinator/cluster/remote/publishTokens.ts';
import { tokenFolder } from '../../../../coordinator/cluster/remote/tokenFile.ts';
import { Tokens } from '../../../../coordinator/core/http/tokens.ts';

const URL_7070 = 'http://127.0.0.1:7070';
const isRoot = process.getuid?.() === 0;

let folder: string;
let env: Record<string, string>;
let tokens: Tokens;
const published: PublishedTokens[] = [];
const errors: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-tokens-'));
  env = { TABGRAD_STATE_DIR: folder };
  const settings = new Map<string, string>();
  const record = {
    savedSetting: (name: string) => Promise.resolve(settings.get(name)),
    changeSettings: () => Promise.resolve(),
  };
  tokens = await Tokens.open(record, { admin: 'boss', join: 'guest' }, () => undefined);
});
afterEach(async () => {
  for (const one of published.splice(0)) await one.remove();
  expect(errors.splice(0)).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});

async function publish(url = URL_7070, host = '127.0.0.1', publicUrl?: string): Promise<PublishedTokens> {
  const onError = (error: unknown): void => void errors.push(error);
  const one = await publishTokens({ url, tokens }, { host, publicUrl, env, onError });
  published.push(one);
  return one;
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('The tokens of a coordinator on this machine', () => {
  it('are in a file for its user alone, in a folder for its user alone, until the coordinator ends', async () => {
    const left = await publish();
    const { file } = left;
    expect(file).toBe(join(folder, 'coordinators', `${hostname()}_127.0.0.1_7070.json`));
    expect([await modeOf(file), await modeOf(join(folder, 'coordinators'))]).toEqual([0o600, 0o700]);
    expect(await knownCoordinator(URL_7070, env)).toEqual({
      url: URL_7070,
      adminToken: 'boss',
      joinToken: 'guest',
    });
    await left.remove();
    expect(await readdir(join(folder, 'coordinators'))).toEqual([]);
    expect(await knownCoordinator(URL_7070, env)).toBeUndefined();
  });

  it('are closed to others also where the folder was open before', async () => {
    await mkdir(join(folder, 'coordinators'));
    await chmod(join(folder, 'coordinators'), 0o777);
    await publish();
    expect(await modeOf(join(folder, 'coordinators'))).toBe(0o700);
  });

  it('follow a change before the change counts as done', async () => {
    const { file } = await publish();
    const [admin, joining] = [await tokens.rotate('admin'), await tokens.rotate('join')];
    expect(await knownCoordinator(URL_7070, env)).toMatchObject({ adminToken: admin, joinToken: joining });
    expect(await modeOf(file)).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toMatch(/boss|guest/);
  });

  it('give way to those that were given, or are in the environment', async () => {
    await publish();
    expect(await ownerAccess(URL_7070, undefined, env)).toEqual({ url: URL_7070, token: 'boss' });
    const variable = { ...env, TABGRAD_ADMIN_TOKEN: 'of the environment' };
    expect((await ownerAccess(URL_7070, undefined, variable)).token).toBe('of the environment');
    expect((await ownerAccess(URL_7070, 'given', variable)).token).toBe('given');
    expect((await ownerAccess('http://127.0.0.1:7071', undefined, env)).token).toBeUndefined();
  });

  it('are not read, with a word, when others can read them', async () => {
    const { file } = await publish();
    for (const mode of [0o604, 0o640, 0o644, 0o620]) {
      await chmod(file, mode);
      await expect(knownCoordinator(URL_7070, env)).rejects.toMatchObject({
        code: 'TOKEN_FILE',
        place: { file },
        message: expect.stringContaining(`mode ${mode.toString(8)}, expected 600`) as string,
      });
    }
    // Commands for other coordinators have nothing to do with it.
    expect(await knownCoordinator('http://127.0.0.1:7071', env)).toBeUndefined();
  });

  it.runIf(isRoot)('are not believed when another user wrote them', async () => {
    const { file } = await publish();
    await chown(file, 65_534, 65_534);
    expect(await knownCoordinator(URL_7070, env)).toBeUndefined();
    await chown(file, 0, 0);
    expect(await knownCoordinator(URL_7070, env)).toBeDefined();
  });

  it.runIf(isRoot)('are not left in a folder of another user', async () => {
    await mkdir(join(folder, 'coordinators'));
    await chown(join(folder, 'coordinators'), 65_534, 65_534);
    await expect(publish()).rejects.toMatchObject({
      code: 'TOKEN_FILE',
      message: expect.stringContaining('it belongs to user 65534') as string,
    });
  });

  it('are not read through a link, and damaged or huge files are passed over', async () => {
    const { file } = await publish();
    const place = join(folder, 'elsewhere.json');
    await link(file, place);
    await rm(file);
    await symlink(place, file);
    expect(await knownCoordinator(URL_7070, env)).toBeUndefined();
    await rm(file);
    await link(place, file);
    for (const [name, text] of [
      ['a.json', '{'],
      ['b.json', '{"url": 7}'],
      ['c.json', ' '.repeat(20_000)],
    ] as const)
      await writeFile(join(folder, 'coordinators', name), text, { mode: 0o600 });
    expect(await knownCoordinator(URL_7070, env)).toMatchObject({ adminToken: 'boss' });
  });

  it('can not be left where no folder can be made, and nothing half-written stays', async () => {
    await writeFile(join(folder, 'coordinators'), 'a file');
    await expect(publish()).rejects.toMatchObject({ code: 'TOKEN_FILE' });
    expect(await readdir(folder)).toEqual(['coordinators']);
  });

  it('of a coordinator that was killed are not used, whoever has its port now, and are replaced', async () => {
    const script = `
      import { publishTokens } from './coordinator/cluster/remote/publishTokens.ts';
      const tokens = { admin: 'of the killed', join: 'x', onChange: () => () => undefined };
      const { file } = await publishTokens({ url: '${URL_7070}', tokens },
        { host: '127.0.0.1', env: process.env, onError: (error) => { throw error; } });
      console.log(file);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      timeout: 30_000,
    });
    const [file] = (await once(createInterface(child.stdout), 'line')) as [string];
    expect(await knownCoordinator(URL_7070, env)).toMatchObject({ adminToken: 'of the killed' });
    await expect(publish()).rejects.toMatchObject({
      code: 'TOKEN_FILE',
      message: `${file} belongs to another coordinator that is up.`,
    });
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(await readFile(file, 'utf8')).toContain('of the killed');
    expect(await knownCoordinator(URL_7070, env)).toBeUndefined();
    // Another one of the same user takes away what it left.
    const other = await publish('http://127.0.0.1:7071');
    const left = await readdir(join(folder, 'coordinators'));
    expect(left.filter((name) => name.includes('7070'))).toEqual([]);
    expect(left).toContain(basename(other.file));
    await publish();
    expect(await knownCoordinator(URL_7070, env)).toMatchObject({ adminToken: 'boss' });
  });

  it('of another machine that shares the home are left alone', async () => {
    const { file } = await publish();
    const content = JSON.parse(await readFile(file, 'utf8')) as object;
    const theirs = join(folder, 'coordinators', 'elsewhere_127.0.0.1_7071.json');
    const text = JSON.stringify({ ...content, machine: 'elsewhere', url: 'http://127.0.0.1:7071' });
    await writeFile(theirs, text, { mode: 0o600 });
    await publish('http://127.0.0.1:7072');
    expect(await readFile(theirs, 'utf8')).toBe(text);
    expect(await knownCoordinator('http://127.0.0.1:7071', env)).toBeUndefined();
  });
});

describe('The folder of tokens', () => {
  it.runIf(process.platform !== 'win32').each([
    [{ TABGRAD_STATE_DIR: '/a', XDG_STATE_HOME: '/b', HOME: '/h' }, '/a/coordinators'],
    [{ XDG_STATE_HOME: '/b', HOME: '/h' }, '/b/tabgrad/coordinators'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/h' }, '/h/.local/state/tabgrad/coordinators'],
    [{ TABGRAD_STATE_DIR: '', HOME: '/h' }, '/h/.local/state/tabgrad/coordinators'],
  ])('for %j is %s', (variables, expected) => {
    expect(tokenFolder(variables)).toBe(expected);
  });
});

describe('A coordinator is asked with its tokens', () => {
  const own = ['127.0.0.1', '192.168.1.20', '::1', 'fe80::2'];
  const loopback = { url: 'http://127.0.0.1:7070', host: '127.0.0.1' };
  const everywhere = { url: 'http://127.0.0.1:7070', host: '0.0.0.0' };
  const both = { url: 'http://127.0.0.1:7070', host: '::' };
  const secure = { url: 'https://127.0.0.1:7070', host: '0.0.0.0', publicUrl: 'https://gpu.example/swarm/' };
  const plainPublic = { ...loopback, publicUrl: 'http://gpu.example' };

  it.each([
    [loopback, 'http://127.0.0.1:7070'],
    [loopback, 'http://127.0.0.1:7070/'],
    [everywhere, 'http://192.168.1.20:7070'],
    [both, 'http://[::1]:7070'],
    [both, 'http://[fe80::2]:7070'],
    [secure, 'https://gpu.example/swarm'],
    [secure, 'https://localhost:7070'],
    [secure, 'https://192.168.1.20:7070'],
  ])('%j at %s', (content, wanted) => {
    expect(addressOf(content, wanted, own)).toBe(wanted);
  });

  it.each([loopback, everywhere, both])('%j by its own address when localhost is asked for', (content) => {
    expect(addressOf(content, 'http://localhost:7070', own)).toBe('http://127.0.0.1:7070');
  });

  it.each([
    ['another port', loopback, 'http://127.0.0.1:7071'],
    ['the port that the scheme stands for', loopback, 'http://127.0.0.1'],
    ['another scheme', loopback, 'https://127.0.0.1:7070'],
    ['an address that it does not listen on', loopback, 'http://192.168.1.20:7070'],
    ['the other family, where another account may listen', loopback, 'http://[::1]:7070'],
    ['the other family, where another account may listen', everywhere, 'http://[::1]:7070'],
    ['an address of another machine', everywhere, 'http://192.168.1.21:7070'],
    ['a name that anybody could make point anywhere', everywhere, 'http://gpu.example:7070'],
    ['a public name without a certificate', plainPublic, 'http://gpu.example'],
    ['another path of the public address', secure, 'https://gpu.example/other'],
    ['a path below its own', loopback, 'http://127.0.0.1:7070/swarm'],
    ['a name of the certificate that is none of its own', secure, 'https://gpu.example:7070'],
  ])('but not at %s (%j, %s)', (_, content, wanted) => {
    expect(addressOf(content, wanted, own)).toBeUndefined();
  });
});
