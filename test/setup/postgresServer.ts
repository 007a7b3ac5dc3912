// `npm run test:postgres` brings its own server: an installed PostgreSQL, with a database cluster of its own in a temporary
// folder, on loopback, gone afterwards. TABGRAD_TEST_DATABASE_URL names another server instead.

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './freePort.ts';

const INIT_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const VARIABLE = 'TABGRAD_TEST_DATABASE_URL';

/** Where Debian's packages put a version's programs, which are not on PATH. */
const VERSIONS = '/usr/lib/postgresql';

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[VARIABLE] !== undefined) return undefined;
  const programs = findPrograms();
  const owner = unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-postgres-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const password = randomBytes(12).toString('hex');
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, password);
    if (owner) for (const path of [folder, passwordFile]) await chown(path, owner.uid, owner.gid);
    const data = join(folder, 'data');
    const words = [
      '-D',
      data,
      '-U',
      'tabgrad',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '-E',
      'UTF8',
    ];
    const init = { ...owner, cwd: folder, timeout: INIT_TIMEOUT_MS };
    await promisify(execFile)(join(programs, 'initdb'), [...words, '--locale=C', '--no-sync'], init);
    const port = await freePort();
    const listen = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-k', folder];
    const server = spawn(join(programs, 'postgres'), listen, {
      ...owner,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await ready(server);
    process.env[VARIABLE] = `postgres://tabgrad:${password}@127.0.0.1:${port}/postgres`;
    return async () => {
      delete process.env[VARIABLE];
      await stop(server);
      await remove();
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The folder of initdb and postgres: on PATH, or of the newest version that is installed. */
function findPrograms(): string {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(VERSIONS, version, 'bin')),
  ];
  const found = folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
  if (found !== undefined) return found;
  throw new Error(
    `No PostgreSQL server is installed: neither on PATH nor in ${VERSIONS}. Install one ("apt-get install postgresql", ` +
      `"brew install postgresql"), or set ${VARIABLE} to a database, e.g. postgres://user:word@127.0.0.1/test`,
  );
}

/** The server does not run as root: then as the user that its package made, or as nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody".');
}

/** Resolves when the server says that it takes connections. */
function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (what: string): void => {
      clearTimeout(timer);
      server.kill('SIGKILL');
      reject(new Error(`PostgreSQL ${what}. It said:\n${said.slice(-2_000)}`));
    };
    const timer = setTimeout(() => fail(`did not start within ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    server.once('error', (error) => fail(`did not start: ${error.message}`));
    server.once('exit', (code) => fail(`ended with code ${code}`));
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      if (!said.includes('database system is ready to accept connections')) return;
      clearTimeout(timer);
      server.removeAllListeners('exit');
      resolve();
    });
  });
}

/** PostgreSQL's fast shutdown; killed when it takes too long. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  const timer = setTimeout(() => server.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
