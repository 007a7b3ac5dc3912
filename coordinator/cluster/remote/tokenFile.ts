// The file in which a coordinator leaves its tokens for its owner's other commands on the same machine, so that nobody has
// to type them. It is in a folder of the user and readable by the user alone; other accounts of the machine stay out.

import { constants } from 'node:fs';
import { mkdir, open, chmod, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const tokenFile = z.object({
  /** Its name: homes may be shared between machines, and addresses like 127.0.0.1 mean another one on each. */
  machine: z.string(),
  /** For programs on this machine. */
  url: z.url(),
  publicUrl: z.url().optional(),
  /** The address or name that it listens on. */
  host: z.string(),
  adminToken: z.string(),
  joinToken: z.string(),
});
export type TokenFile = z.infer<typeof tokenFile>;

export class TokenFileError extends TabgradError {
  readonly code = 'TOKEN_FILE';
}

const MAX_FILES = 256;
const MAX_FILE_BYTES = 16 * 1024;
/** A link may lead to a file that the user did not write, and a pipe has no end. Windows has neither flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
/** Read, write or list by the group or by others. */
const OTHERS = 0o077;

/**
 * TABGRAD_STATE_DIR, else the folder for a user's state of the XDG Base Directory Specification. Not the runtime folder of
 * that specification: a session of cron or sudo has none, and it goes with the last login.
 */
export function tokenFolder(env: Environment): string {
  const { TABGRAD_STATE_DIR: own, XDG_STATE_HOME: state, LOCALAPPDATA: local } = env;
  if (own) return join(resolve(own), 'coordinators');
  if (process.platform === 'win32') {
    return join(local ?? join(homedir(), 'AppData', 'Local'), 'tabgrad', 'coordinators');
  }
  const root =
    state !== undefined && isAbsolute(state) ? state : join(env['HOME'] ?? homedir(), '.local/state');
  return join(root, 'tabgrad', 'coordinators');
}

/** Makes the folder if need be, for its user alone. @throws TokenFileError */
export async function makeTokenFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = await stat(folder);
    if (!isOwn(uid)) throw new TokenFileError(`it belongs to user ${uid}`);
    if ((mode & OTHERS) !== 0) await chmod(folder, 0o700);
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

/** Whole or not at all. One process at a time writes a file. @throws TokenFileError */
export async function writeTokenFile(path: string, content: TokenFile): Promise<void> {
  const aside = `${path}.tmp`;
  try {
    await rm(aside, { force: true });
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(content)}\n`);
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}

export interface FoundTokenFile {
  readonly path: string;
  readonly content: TokenFile;
  /** Permissions by which others may read or change it; undefined for a file that is its user's alone. */
  readonly exposedBy: number | undefined;
}

/** The files of the folder that belong to this user. Others' and damaged ones are passed over. */
export async function readTokenFiles(folder: string): Promise<FoundTokenFile[]> {
  // Where there is none, or it can not be listed, there is nothing to be found.
  const names = await readdir(folder).catch((): string[] => []);
  const files: FoundTokenFile[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')).slice(0, MAX_FILES)) {
    const found = await readTokenFile(join(folder, name));
    if (found) files.push(found);
  }
  return files;
}

/** Its tokens may be known to others. @throws TokenFileError when it is so. */
export function checkTokenFile({ path, exposedBy }: FoundTokenFile): void {
  if (exposedBy === undefined) return;
  throw new TokenFileError(
    `${path} has the tokens of a coordinator, and others may read or change it (mode ${exposedBy.toString(8)}, expected 600). ` +
      'Take the file away, and start the coordinator again with other tokens.',
    { file: path },
  );
}

async function readTokenFile(path: string): Promise<FoundTokenFile | undefined> {
  const file = await open(path, OPEN_FLAGS).catch(() => undefined);
  if (!file) return undefined;
  try {
    const facts = await file.stat();
    if (!facts.isFile() || !isOwn(facts.uid) || facts.size > MAX_FILE_BYTES) return undefined;
    const isExposed = process.platform !== 'win32' && (facts.mode & OTHERS) !== 0;
    const content = tokenFile.safeParse(JSON.parse(await file.readFile('utf8'))).data;
    return content && { path, content, exposedBy: isExposed ? facts.mode & 0o777 : undefined };
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** Windows has no user numbers; there the folder of the profile is its user's alone. */
function isOwn(uid: number): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

function writeFailure(path: string, error: unknown): TokenFileError {
  const message = `The tokens for commands on this machine can not be kept in ${path}: ${messageOf(error)}.`;
  return new TokenFileError(message, { file: path }, { cause: error });
}
