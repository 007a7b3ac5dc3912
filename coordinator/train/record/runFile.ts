// run.json: what another process needs to follow a run that goes on at a coordinator elsewhere, and to finish its record.

import { constants } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { checkpointConfig } from '../../options/runOptions.ts';
import { RunNotAttachedError } from '../trainErrors.ts';

export const RUN_FILE = 'run.json';

const count = z.number().int().nonnegative();

const runFile = z.object({
  format: z.literal(1),
  trainer: z.enum(['gbdt', 'loop', 'neural']),
  /** The coordinator's; its token is not kept. */
  url: z.string(),
  /** What result.json says of the run. */
  facts: z.object({
    runId: z.string(),
    name: z.string(),
    params: z.record(z.string(), z.unknown()),
    totalRounds: count,
    rows: z.record(z.string(), count).default({}),
    warnings: z.array(z.string()).readonly().default([]),
  }),
  checkpoints: checkpointConfig,
  /** Whether the folder has another run, which this one goes on from; its lines are the beginning of progress.jsonl. */
  goesOn: z.boolean(),
  progressBytes: count,
  /** What the record of this kind of run needs. */
  plan: z.unknown(),
});
export type RunFile = z.output<typeof runFile>;

/** A run that is asked for. */
export type AskedRun = Pick<z.input<typeof runFile>, 'checkpoints' | 'facts' | 'plan' | 'trainer' | 'url'>;

export async function hasRunFile(folder: string): Promise<boolean> {
  return (await stat(join(folder, RUN_FILE)).catch(() => undefined)) !== undefined;
}

/** @throws RunNotAttachedError where there is none, or it is damaged. */
export async function readRunFile(folder: string): Promise<RunFile> {
  const file = join(folder, RUN_FILE);
  const refused = (what: string, cause?: unknown): RunNotAttachedError =>
    new RunNotAttachedError(what, { file }, { cause });
  const found = await stat(file).catch(() => undefined);
  if (!found) {
    throw refused(
      `${folder} has no ${RUN_FILE}: no run of it was left unfinished at a coordinator elsewhere (scalingConfig.url).`,
    );
  }
  if (found.size > constants.MAX_STRING_LENGTH) {
    throw refused(`${file} has ${found.size} bytes; at most ${constants.MAX_STRING_LENGTH} can be read.`);
  }
  try {
    return runFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error);
    throw refused(`${file} is damaged: ${reason}`, error);
  }
}
