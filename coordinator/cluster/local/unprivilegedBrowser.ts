// The browser of a process that runs as root on Linux. Chromium's sandbox refuses to start as root, so the browser gets an
// account of its own: a user id that nobody else has, with a profile folder that it alone may read. What breaks out of
// the browser is then not root either.

import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { constants, rmdirSync, rmSync } from 'node:fs';
import {
  access,
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { takeProcessLock } from '../../files/processLock.ts';
import { BrowserSandboxError } from './browserSandbox.ts';

const PREFIX = 'tabgrad-browser-';
const HOME = 'home';
const LOCK_FILE = '.lock';

export interface UnprivilegedBrowser {
  /** Starts the browser under the other account, with the arguments that it is given. */
  readonly executablePath: string;
  /** Variables that differ from this process's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Deletes the profile. */
  readonly remove: () => Promise<void>;
  /** Deletes it at the end of this process at the latest. For after the start: what ends the browser then comes first. */
  readonly removeAtExit: () => void;
}

/** systemd takes ids for short-lived services from here, so that no account of the system has one. */
const FIRST_UID = 61_184;
const LAST_UID = 65_519;

/** Whether this process is root where Chromium's sandbox minds that. */
export function isLinuxRoot(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** @throws BrowserSandboxError when the browser can't be run by another account; the message says what is missing. */
export async function prepareUnprivileged(browser: string): Promise<UnprivilegedBrowser> {
  const setpriv = await onPath('setpriv');
  if (setpriv === undefined) {
    throw new BrowserSandboxError(
      'This process is root, and the program setpriv (package util-linux), which would run the browser as somebody else, was not found.',
    );
  }
  const closed = (await firstClosed(browser)) ?? (await firstClosed(tmpdir()));
  if (closed !== undefined) {
    throw new BrowserSandboxError(
      `This process is root, and other accounts may not use ${closed}, where ${browser} or its profile is: open it to all ` +
        '(chmod o+rx), or install Chrome or Chromium.',
      { file: closed },
    );
  }
  const uid = randomInt(FIRST_UID, LAST_UID + 1);
  const groups = await graphicsGroups();
  const asAccount = [
    `--reuid=${uid}`,
    `--regid=${uid}`,
    groups.length > 0 ? `--groups=${groups.join(',')}` : '--clear-groups',
    '--inh-caps=-all',
    '--',
  ];
  await sweepBrowserFolders(setpriv);
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  const home = join(folder, HOME);
  const script = join(folder, 'browser');
  const lift = await lockFolder(folder);
  const removeNow = (): void => {
    lift?.();
    removeFolder(folder, setpriv, uid);
  };
  const remove = (): Promise<void> => {
    process.off('exit', removeNow);
    removeNow();
    return Promise.resolve();
  };
  try {
    await chmod(folder, 0o711);
    await mkdir(home, { mode: 0o700 });
    await chown(home, uid, uid);
    // The last of several user data folders counts: Playwright's own belongs to root.
    const words = [setpriv, ...asAccount, browser].map(quoted).join(' ');
    const profile = quoted(`--user-data-dir=${join(home, 'profile')}`);
    await writeFile(script, `#!/bin/sh\nexec ${words} "$@" ${profile}\n`, { mode: 0o755 });
    return {
      executablePath: script,
      environment: { HOME: home, TMPDIR: home },
      remove,
      removeAtExit: () => void process.on('exit', removeNow),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Removes what browsers left whose process was killed: the system has lifted its lock. */
async function sweepBrowserFolders(setpriv: string): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    // What fails here is being removed by another process, or has no lock and is not known whose it is.
    await removeLeftBehind(folder, setpriv).catch(() => undefined);
  }
}

async function removeLeftBehind(folder: string, setpriv: string): Promise<void> {
  const found = await lstat(folder);
  const isOwn = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o066) === 0;
  const lock = await lstat(join(folder, LOCK_FILE));
  if (!isOwn || !lock.isFile()) return;
  const lift = takeProcessLock(join(folder, LOCK_FILE));
  if (lift === undefined) return;
  const { uid } = await lstat(join(folder, HOME));
  lift();
  removeFolder(folder, setpriv, uid >= FIRST_UID && uid <= LAST_UID ? uid : undefined);
}

/** @returns lifts the lock; undefined where another process has taken the folder for one that was left behind. */
async function lockFolder(folder: string): Promise<(() => void) | undefined> {
  const file = join(folder, LOCK_FILE);
  const lift = takeProcessLock(file);
  // The browser's account shall not hold it.
  await chmod(file, 0o600);
  return lift;
}

/** At once: a process that ends waits for nothing. */
function removeFolder(folder: string, setpriv: string, uid: number | undefined): void {
  const home = join(folder, HOME);
  // By the account itself: what it has put there shall not lead root anywhere else.
  if (uid !== undefined)
    spawnSync(setpriv, [
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '--inh-caps=-all',
      '--',
      'rm',
      '-rf',
      home,
    ]);
  try {
    rmdirSync(home);
    rmSync(join(folder, 'browser'), { force: true });
    // The last but one: what could not be removed is found by it.
    rmSync(join(folder, LOCK_FILE), { force: true });
    rmdirSync(folder);
  } catch {
    // The next process that starts a browser tries again.
  }
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, program);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && isThere) return file;
  }
  return undefined;
}

/** The file, or the outermost folder above it, that accounts without any right of their own can't use. */
async function firstClosed(path: string): Promise<string | undefined> {
  const file = await realpath(path);
  const above: string[] = [];
  for (let folder = dirname(file); above.at(-1) !== folder; folder = dirname(folder)) above.push(folder);
  for (const folder of above.toReversed()) if (((await stat(folder)).mode & 0o001) === 0) return folder;
  return ((await stat(file)).mode & 0o005) === 0o005 ? undefined : file;
}

/** Groups that the devices of GPUs belong to, where not everybody may use them. */
async function graphicsGroups(): Promise<readonly number[]> {
  const names = await readdir('/dev/dri').catch((): string[] => []);
  const nodes = names.filter((name) => name.startsWith('renderD')).map((name) => join('/dev/dri', name));
  const stats = await Promise.all(nodes.map((node) => stat(node)));
  return [...new Set(stats.filter(({ mode }) => (mode & 0o006) !== 0o006).map(({ gid }) => gid))].filter(
    (gid) => gid !== 0,
  );
}

/** For the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
