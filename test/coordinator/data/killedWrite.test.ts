import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type * as fsPromises from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { readCsv } from '../../../coordinator/data/readFiles.ts';
import { liveFor } from '../../setup/killableFiles.ts';
import { scratchFolder } from './support/scratch.ts';

const kill = vi.hoisted(() => ({ steps: 0, at: Infinity }));
vi.mock('node:fs/promises', async (load) => {
  const { killableFiles } = await import('../../setup/killableFiles.ts');
  return killableFiles(await load<typeof fsPromises>(), kill);
});

const path = scratchFolder();

type Mode = 'error' | 'append' | 'overwrite';

/** Two rows a part. */
const write = (folder: string, rows: readonly number[], mode: Mode): Promise<unknown> =>
  fromItems(rows.map((n) => ({ n }))).writeCsv(folder, { rowsPerFile: 2, mode });

async function read(folder: string): Promise<unknown[]> {
  liveFor(kill, Infinity);
  const rows = await readCsv(folder)
    .takeAll()
    .catch((error: { code?: string }) => {
      if (error.code === 'DATA_FOLDER_EMPTY') return [];
      throw error;
    });
  return rows.map(({ n }) => n).sort((a, b) => Number(a) - Number(b));
}

describe.each([
  ['fewer parts', [1, 2, 3, 4, 5], [6, 7, 8], 'overwrite', [6, 7, 8]],
  ['more parts', [1, 2, 3], [4, 5, 6, 7, 8], 'overwrite', [4, 5, 6, 7, 8]],
  ['parts where there was none', [], [1, 2, 3], 'error', [1, 2, 3]],
  ['further parts', [1, 2, 3], [4, 5, 6], 'append', [1, 2, 3, 4, 5, 6]],
] as const)('replacing a dataset by one of %s', (name, before, written, mode, after) => {
  it('leaves one of them whole wherever the process is killed', async () => {
    const folder = path(`${mode} ${name}`);
    liveFor(kill, Infinity);
    await write(folder, before, 'error');
    liveFor(kill, Infinity);
    await write(folder, written, mode);
    const steps = kill.steps;
    const met = new Set<string>();
    for (let at = 0; at < steps; at++) {
      liveFor(kill, Infinity);
      rmSync(folder, { recursive: true });
      await write(folder, before, 'error');
      writeFileSync(join(folder, '_own.txt'), 'kept');
      liveFor(kill, at);
      await expect(write(folder, written, mode)).rejects.toThrow('killed');
      met.add(JSON.stringify(await read(folder)));
      liveFor(kill, Infinity);
      await write(folder, [9], 'overwrite');
      expect(await read(folder)).toEqual([9]);
      expect(readdirSync(folder).filter((name) => !name.startsWith('.writing-'))).toEqual([
        '_own.txt',
        'part-00000.csv',
      ]);
    }
    expect([...met]).toEqual([before, after].map((rows) => JSON.stringify(rows)));
  });
});

it('what a killed process began to write is no data', async () => {
  mkdirSync(path('begun/.writing-0'), { recursive: true });
  writeFileSync(path('begun/.writing-0/part-00000.csv'), 'n\n1\n');
  await expect(readCsv(path('begun')).takeAll()).rejects.toMatchObject({ code: 'DATA_FOLDER_EMPTY' });
});
