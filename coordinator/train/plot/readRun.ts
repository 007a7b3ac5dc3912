// A run's folder as plots need it: its lines of progress, and its last checkpoint.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { Checkpoint, MODEL_FILE } from '../../checkpoint/checkpoint.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import { PlotArgumentError } from '../../plot/plotErrors.ts';
import { lastCheckpoint } from '../record/earlierRun.ts';
import type { PlottedResult } from './plotResult.ts';

const lineForm = z.object({
  round: z.number().int().nonnegative(),
  // JSON has no word for what is no finite number.
  metrics: z.record(z.string(), z.number().nullable()),
});
type Line = z.output<typeof lineForm>;

const resultForm = z.object({
  rounds: z.number().int().nonnegative(),
  datasetRows: z.record(z.string(), z.number()),
  params: z.record(z.string(), z.unknown()),
});

/**
 * @param path of a run's folder; also of one that goes on or has failed.
 * @throws PlotArgumentError where there is no run; CheckpointError.
 */
export async function readRun(path: string): Promise<PlottedResult> {
  const folder = resolve(path);
  const text = await readFile(join(folder, 'progress.jsonl'), 'utf8').catch((cause: unknown) => {
    throw new PlotArgumentError(
      `${folder} holds no run and no experiment: it has neither progress.jsonl nor experiment.json.`,
      { file: folder },
      { cause },
    );
  });
  const lines = text.split('\n').flatMap((line) => lineForm.safeParse(parsed(line)).data ?? []);
  const record = resultForm.safeParse(
    parsed(await readFile(join(folder, 'result.json'), 'utf8').catch(() => '')),
  ).data;
  const checkpoint = await lastCheckpoint(folder);
  return {
    name: basename(folder),
    metricsTable: joined(lines, record?.rounds).map(({ round, metrics }) => ({
      ...Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value ?? NaN])),
      round,
    })),
    datasetRows: record?.datasetRows ?? {},
    checkpoint: checkpoint === undefined ? undefined : openCheckpoint(checkpoint, record?.params),
  };
}

/** Rounds of a run that went on from a checkpoint count from 0 again: they follow those that are in the checkpoint. */
function joined(lines: readonly Line[], rounds: number | undefined): readonly Line[] {
  const last = lines.findLastIndex((line, i) => i === 0 || line.round <= lines[i - 1]!.round);
  if (last <= 0) return lines;
  const resumed = lines.slice(last);
  const before = joined(lines.slice(0, last), undefined);
  const first = Math.max(0, rounds === undefined ? before.length : rounds - resumed.length);
  return [
    ...before.filter(({ round }) => round < first),
    ...resumed.map((line, i) => ({ ...line, round: first + i })),
  ];
}

function openCheckpoint(
  path: string,
  params: Readonly<Record<string, unknown>> = {},
): PlottedResult['checkpoint'] {
  const hasModel = existsSync(join(path, MODEL_FILE));
  if (!hasModel || 'trainLoopConfig' in params) return new DataParallelCheckpoint(path);
  const checkpoint = new Checkpoint(path);
  // As tfjs writes it, among the first keys.
  return /"modelTopology"\s*:/.test(checkpoint.modelText().slice(0, 4096))
    ? new NeuralCheckpoint(path)
    : checkpoint;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
