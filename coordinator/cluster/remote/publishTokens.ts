// Leaves a coordinator's tokens for its owner's commands on this machine, as long as its process lives.

import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessLocked, takeProcessLock } from '../../files/processLock.ts';
import type { Coordinator } from '../../core/server/coordinator.ts';
import {
  makeTokenFolder,
  readTokenFiles,
  TokenFileError,
  tokenFolder,
  writeTokenFile,
  type Environment,
} from './tokenFile.ts';

export interface PublishedTokens {
  readonly file: string;
  /** Takes the file away. Idempotent; never rejects. */
  remove(): Promise<void>;
}

export interface PublishOptions {
  /** What the coordinator listens on. */
  readonly host: string;
  readonly publicUrl?: string | undefined;
  readonly env: Environment;
  /** Told when the file can not follow a change of tokens. */
  readonly onError: (error: unknown) => void;
}

/** Those who look whether a coordinator lives hold its lock for a moment. */
const LOCK_WAIT_MS = 1_000;

/** @throws TokenFileError */
export async function publishTokens(
  { url, tokens }: Pick<Coordinator, 'tokens' | 'url'>,
  { host, publicUrl, env, onError }: PublishOptions,
): Promise<PublishedTokens> {
  const folder = tokenFolder(env);
  await makeTokenFolder(folder);
  await sweepDead(folder);
  const name = [hostname(), host, new URL(url).port]
    .map((part) => part.replaceAll(/[^\w.-]/g, '-'))
    .join('_');
  const file = join(folder, `${name}.json`);
  const lift = lockOf(file);
  const write = (): Promise<void> =>
    writeTokenFile(file, {
      machine: hostname(),
      url,
      ...(publicUrl !== undefined && { publicUrl }),
      host,
      adminToken: tokens.admin,
      joinToken: tokens.join,
    });
  const unsubscribe = tokens.onChange(() => write().catch(onError));
  const remove = async (): Promise<void> => {
    unsubscribe();
    // What stays behind is not alive once the lock is lifted, and the next coordinator sweeps it.
    await rm(file, { force: true }).catch(() => undefined);
    lift();
    await rm(lockFileOf(file), { force: true }).catch(() => undefined);
  };
  try {
    await write();
  } catch (error) {
    await remove();
    throw error;
  }
  return { file, remove };
}

/** Whether the coordinator that wrote this file lives. The tokens of a dead one would go to the process that has its port now. */
export function isAlive(file: string): boolean {
  try {
    return isProcessLocked(lockFileOf(file));
  } catch {
    return false;
  }
}

function lockOf(file: string): () => void {
  let lift: (() => void) | undefined;
  try {
    lift = takeProcessLock(lockFileOf(file), LOCK_WAIT_MS);
  } catch (cause) {
    throw new TokenFileError(`${lockFileOf(file)} can not be locked.`, { file }, { cause });
  }
  if (lift) return lift;
  throw new TokenFileError(`${file} belongs to another coordinator that is up.`, { file });
}

/** Takes away what killed coordinators of this machine left. */
async function sweepDead(folder: string): Promise<void> {
  for (const { path, content } of await readTokenFiles(folder)) {
    if (content.machine !== hostname() || isAlive(path)) continue;
    // SQLite has a journal beside its lock, which a killed process leaves.
    for (const left of [path, lockFileOf(path), `${lockFileOf(path)}-journal`])
      await rm(left, { force: true });
  }
}

function lockFileOf(file: string): string {
  return file.replace(/\.json$/, '.lock');
}
