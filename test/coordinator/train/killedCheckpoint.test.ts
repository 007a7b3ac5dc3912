import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type * as fsPromises from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { RunFolder } from '../../../coordinator/train/record/runFolder.ts';
import { liveFor } from '../../setup/killableFiles.ts';
import { scratchFolder } from '../data/support/scratch.ts';

const kill = vi.hoisted(() => ({ steps: 0, at: Infinity }));
vi.mock('node:fs/promises', async (load) => {
  const { killableFiles } = await import('../../setup/killableFiles.ts');
  return killableFiles(await load<typeof fsPromises>(), kill);
});

const path = scratchFolder();
const folder = path('run');
const keep = { scoreOrder: 'max' } as const;

/** Model and metrics of the checkpoint after three rounds, as they lie there. */
function saved(): { model: string; metrics: unknown } {
  const checkpoint = new Checkpoint(join(folder, 'checkpoints/3'));
  let metrics: unknown;
  if (readdirSync(checkpoint.path).includes('checkpoint.json')) {
    const text = readFileSync(join(checkpoint.path, 'checkpoint.json'), 'utf8');
    ({ metrics } = JSON.parse(text) as { metrics: unknown });
  }
  return { model: checkpoint.modelText(), metrics };
}

const files = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

async function save(which: 'old' | 'new'): Promise<void> {
  const run = await RunFolder.open(folder, keep, {
    overwrite: false,
    resumedFrom: path('run/checkpoints/3'),
  });
  try {
    await run.saveCheckpoint(3, `${which} model`, { auc: which === 'old' ? 0.5 : 0.75 });
  } finally {
    run.close();
  }
}

it('one whole checkpoint is under its name wherever the process is killed', async () => {
  await save('old');
  liveFor(kill, Infinity);
  await save('new');
  const steps = kill.steps;
  const met = new Set<string>();
  for (let at = 0; at < steps; at++) {
    liveFor(kill, Infinity);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await save('old');
    liveFor(kill, at);
    await expect(save('new')).rejects.toThrow('killed');
    const { model, metrics } = saved();
    met.add(`${model}, ${JSON.stringify(metrics)}`);
    liveFor(kill, Infinity);
    await save('new');
    expect(saved()).toEqual({ model: 'new model', metrics: { auc: 0.75 } });
    expect(files()).toEqual([
      'checkpoints',
      'checkpoints/3',
      'checkpoints/3/checkpoint.json',
      'checkpoints/3/model.json',
    ]);
  }
  expect([...met]).toEqual([
    'old model, {"auc":0.5}',
    'old model, undefined',
    'new model, undefined',
    'new model, {"auc":0.75}',
  ]);
});
