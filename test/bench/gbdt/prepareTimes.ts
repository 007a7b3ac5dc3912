// What preparing costs: from the file to binned shards in a blob store, beside XGBoost's matrix and bins of the same rows and the
// least that the work can be; and a whole run beside a whole training. Each part is measured in a process of its own.

import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderBlobStore } from '../../../coordinator/core/blobs/folderBlobStore.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { prepareTraining } from '../../../coordinator/train/gbdt/prepareTraining.ts';
import { createBinner } from '../../../shared/gbdt/binColumn.ts';
import { radixSort } from '../../../shared/gbdt/metric/radixSort.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { denseRows, holdMatrix } from '../../oracle/xgboost.ts';
import { NUMERIC_FEATURES, NUMERIC_LABEL } from './numericTable.ts';

const PARAMS = { objective: 'binary:logistic', max_depth: 8, base_score: 0.5 } as const;
const FEATURES = Array.from({ length: NUMERIC_FEATURES }, (_, feature) => `f${feature}`);
const BLOCK_ROWS = 65_536;
/** Of the whole run. */
const ROUNDS = 10;

export interface PartTimes {
  /** User and system time of the process and those that it has started. */
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakMb: number;
}

/** Parts that a process of the bench measures, by name. */
export const prepareParts: Readonly<Record<string, (file: string) => Promise<PartTimes>>> = {
  own: (file) => inFolder((folder) => timed(() => prepare(file, folder))),
  peer: timePeer,
  floor: timeFloor,
  ownRun: (file) => inFolder((folder) => timed(() => train(file, folder))),
  peerRun: async (file) => {
    const data = await readColumns(file);
    const dense = denseRows(data.columns);
    return timed(() => {
      const matrix = holdMatrix({ ...data, dense });
      const booster = matrix.startBooster({ ...PARAMS, eval_metric: 'logloss', nthread: 1 });
      for (let round = 0; round < ROUNDS; round += 1) {
        booster.update(round);
        booster.evaluate(round);
      }
    });
  },
};

async function prepare(file: string, folder: string): Promise<void> {
  await prepareTraining({
    datasets: { train: readParquet(file) },
    labelColumn: NUMERIC_LABEL,
    params: resolveParams(PARAMS),
    numBoostRound: ROUNDS,
    blobs: await FolderBlobStore.open(join(folder, 'blobs')),
    tempFolder: folder,
  });
}

/** Owner, coordinator and one Node worker. */
async function train(file: string, folder: string): Promise<void> {
  await new GBDTTrainer({
    datasets: { train: readParquet(file) },
    labelColumn: NUMERIC_LABEL,
    params: PARAMS,
    numBoostRound: ROUNDS,
    scalingConfig: { numWorkers: 1, runtime: 'node', device: 'cpu' },
    runConfig: { name: 'run', storagePath: folder, verbose: 0 },
  }).fit();
}

/** The matrix, and what its first round takes longer than the second: that is when hist cuts into bins. */
async function timePeer(file: string): Promise<PartTimes> {
  const data = await readColumns(file);
  const dense = denseRows(data.columns);
  const params = { ...PARAMS, nthread: 1, disable_default_eval_metric: 1 };
  let booster: ReturnType<ReturnType<typeof holdMatrix>['startBooster']> | undefined;
  const first = await timed(() => {
    booster = holdMatrix({ ...data, dense }).startBooster(params);
    booster.update(0);
  });
  const second = await timed(() => booster!.update(1));
  return { ...first, cpuMs: first.cpuMs - second.cpuMs, wallMs: first.wallMs - second.wallMs };
}

/** The file's bytes read once, every value sorted once among those of a block, and given its bin once. */
async function timeFloor(file: string): Promise<PartTimes> {
  const { columns } = await readColumns(file);
  const cuts = Float32Array.from({ length: 255 }, (_, i) => (i - 127) / 64);
  return timed(async () => {
    await readFile(file);
    const keys = new Uint32Array(BLOCK_ROWS);
    const room = { keys: new Uint32Array(BLOCK_ROWS) };
    const binner = createBinner({ cuts, belowAll: -3, categorical: false });
    for (const column of columns) {
      const bits = new Uint32Array(column.buffer);
      for (let at = 0; at + BLOCK_ROWS <= bits.length; at += BLOCK_ROWS) {
        keys.set(bits.subarray(at, at + BLOCK_ROWS));
        radixSort(keys, undefined, room);
        binner(column.subarray(at, at + BLOCK_ROWS));
      }
    }
  });
}

async function readColumns(file: string): Promise<{ columns: Float32Array[]; labels: Float32Array }> {
  const dataset = readParquet(file);
  const rows = await dataset.count();
  const columns = [...FEATURES, NUMERIC_LABEL].map(() => new Float32Array(rows));
  for await (const batch of dataset.streamColumns([...FEATURES, NUMERIC_LABEL])) {
    batch.columns.forEach((column, i) => {
      if (column.kind === 'numeric') columns[i]!.set(column.values, batch.firstRow);
    });
  }
  return { columns: columns.slice(0, -1), labels: columns.at(-1)! };
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<void> | void): Promise<PartTimes> {
  const before = cpuMs();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  return { cpuMs: cpuMs() - before, wallMs, peakMb: process.resourceUsage().maxRSS / 1000 };
}

/** With that of ended child processes, which Linux alone tells: fields 16 and 17, in hundredths of a second. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return (user + system) / 1000 + 10 * (Number(fields[13]) + Number(fields[14]));
}
