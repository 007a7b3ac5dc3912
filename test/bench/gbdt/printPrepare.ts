// Prints what prepareTimes.ts measures, part by part in processes of their own.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NUMERIC_FEATURES, writeNumericTable } from './numericTable.ts';
import type { PartTimes } from './prepareTimes.ts';

const PART_LIMIT_MS = 300_000;
const REPEATS = 2;

/** @param bench the file that measures a part when it is given `--part NAME --file PATH`. */
export async function printPrepare(bench: string, rows: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  try {
    const file = await writeNumericTable(folder, rows);
    console.log(`${rows} rows x ${NUMERIC_FEATURES} numbers from Parquet, least of ${REPEATS} in turn`);
    console.log(`  ${''.padEnd(52)}${'CPU time'.padStart(10)}${'wall'.padStart(10)}${'peak'.padStart(10)}`);
    const names = ['own', 'peer', 'floor', 'ownRun', 'peerRun'] as const;
    const least = new Map<string, PartTimes>();
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      for (const name of names) {
        const times = measure(bench, name, file);
        if (times.cpuMs < (least.get(name)?.cpuMs ?? Infinity)) least.set(name, times);
      }
    }
    const cpu = (name: (typeof names)[number]): number => least.get(name)!.cpuMs;
    const print = (title: string, name: (typeof names)[number]): void => {
      const { cpuMs, wallMs, peakMb } = least.get(name)!;
      const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`.padStart(10);
      console.log(
        `  ${title.padEnd(52)}${seconds(cpuMs)}${seconds(wallMs)}${`${peakMb.toFixed(0)} MB`.padStart(10)}`,
      );
    };
    print('preparing, file to shards', 'own');
    print('XGBoost, 1 thread: matrix and bins, rows in memory', 'peer');
    print('floor: bytes read, values sorted and binned once', 'floor');
    console.log(
      `  preparing is ${(cpu('own') / cpu('peer')).toFixed(2)} times XGBoost's CPU time, ${(cpu('own') / cpu('floor')).toFixed(1)} times the floor`,
    );
    print('whole run, 10 rounds, one worker (peak: owner)', 'ownRun');
    print('XGBoost, 1 thread, all of it', 'peerRun');
    console.log(`  the run is ${(cpu('ownRun') / cpu('peerRun')).toFixed(2)} times XGBoost's CPU time`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measure(bench: string, part: string, file: string): PartTimes {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', bench, '--part', part, '--file', file],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: PART_LIMIT_MS },
  );
  if (status !== 0) throw new Error(`The part ${part} ended with ${status}.`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as PartTimes;
}
