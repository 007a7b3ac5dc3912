// `npm run bench:churn [-- ROWS ROUNDS SHORTEST LONGEST TRACE]`: what churn costs a run. Four real workers (Node processes,
// WebRTC, cpu device) train once in peace and once while one of them is killed and replaced every 1 to 2 seconds, over and
// over. Prints both rates, their ratio, the longest pause between two recorded rounds, and whether the models are the same.

import { appendFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fromItems } from '../../coordinator/data/fromMemory.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { churnRun, type ChurnResult } from '../endToEnd/churnRun.ts';

const WORKERS = 4;
const FEATURES = 10;
const [rows = 300_000, rounds = 150, shortestMs = 1_000, longestMs = 2_000] = process.argv
  .slice(2, 6)
  .map(Number);
const traceFile = process.argv[6];
const trace = traceFile === undefined ? undefined : (line: string) => appendFileSync(traceFile, `${line}\n`);

/** Rows whose label follows from products and signs of the features, and some noise. */
function makeRows(): Record<string, number>[] {
  const random = seededRandom(7);
  return Array.from({ length: rows }, () => {
    const x = Array.from({ length: FEATURES }, () => 2 * random() - 1);
    const score = x[0]! * x[1]! + Math.sin(4 * x[2]!) + x[3]! * x[3]! - 0.3 + 0.5 * (random() - 0.5);
    return { ...Object.fromEntries(x.map((value, i) => [`f${i}`, value])), label: score > 0 ? 1 : 0 };
  });
}

function rate({ roundsAtMs }: ChurnResult): number {
  return ((roundsAtMs.length - 1) * 1_000) / (roundsAtMs.at(-1)! - roundsAtMs[0]!);
}

function longestPauseMs({ roundsAtMs }: ChurnResult): number {
  return Math.max(...roundsAtMs.slice(1).map((atMs, i) => atMs - roundsAtMs[i]!));
}

function print(name: string, result: ChurnResult): void {
  const { kills, generations } = result;
  console.log(
    `  ${name.padEnd(8)}${rate(result).toFixed(2).padStart(10)} rounds/s` +
      `${(longestPauseMs(result) / 1000).toFixed(2).padStart(10)} s${String(kills).padStart(8)}${String(generations).padStart(14)}` +
      loadavg()[0]!.toFixed(1).padStart(8),
  );
}

const dataset = fromItems(makeRows());
const options = { dataset, labelColumn: 'label', rounds, workers: WORKERS, ...(trace && { trace }) };
console.log(
  `${rows} rows × ${FEATURES}, depth 6, ${rounds} rounds, ${WORKERS} Node workers on ${availableParallelism()} cores; ` +
    `a worker is killed and replaced every ${shortestMs} to ${longestMs} ms`,
);
console.log('               rate         longest pause   kills   generations    load');
const calm = await churnRun(options);
print('calm', calm);
const random = seededRandom(11);
let timer: NodeJS.Timeout | undefined;
const churned = await churnRun({
  ...options,
  onBegun: (kill) => {
    const strike = (): void => {
      timer = setTimeout(
        () => {
          kill(Math.floor(random() * WORKERS));
          strike();
        },
        shortestMs + random() * (longestMs - shortestMs),
      );
    };
    strike();
  },
}).finally(() => clearTimeout(timer));
print('churn', churned);
const isWhole = churned.rounds.every((round, i) => round === i) && churned.rounds.length === rounds;
console.log(
  `  ${((100 * rate(churned)) / rate(calm)).toFixed(0)} % of the calm rate; ` +
    `${isWhole ? 'every round once and in order' : 'rounds are missing or doubled'}; ` +
    `the models are ${churned.modelSha256 === calm.modelSha256 ? 'the same bytes' : 'different'}`,
);
