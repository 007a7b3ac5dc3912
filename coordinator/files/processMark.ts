// Tells one process from all others, so that another one can find out later whether it is still there.

import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

export const processMark = z.strictObject({
  pid: z.int().positive(),
  host: z.string(),
  /** Containers on one machine have ids of processes of their own; null where the system has no such spaces. */
  pidSpace: z.string().nullable(),
  /** Clock ticks from the start of the system to that of the process: ids are used again. Null where it does not tell. */
  started: z.string().nullable(),
});

export type ProcessMark = z.infer<typeof processMark>;

export async function thisProcess(): Promise<ProcessMark> {
  return {
    pid: process.pid,
    host: hostname(),
    pidSpace: await readlink('/proc/self/ns/pid').catch(() => null),
    started: await startOf(process.pid),
  };
}

/** Whether a process has certainly ended. False also for those of which this one can not know. */
export async function isGone({ pid, host, pidSpace, started }: ProcessMark): Promise<boolean> {
  const here = await thisProcess();
  if (host !== here.host || pidSpace !== here.pidSpace) return false;
  if (!isThere(pid)) return true;
  const now = await startOf(pid);
  return started !== null && now !== null && started !== now;
}

function isThere(pid: number): boolean {
  try {
    // Signal 0 asks, and does nothing.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Field 22 of proc_pid_stat(5). The second, a name in brackets, may have spaces and brackets of its own. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
