// Prints what soloTraining.ts measured.

import { roundFloor } from './floors.ts';
import { median } from '../median.ts';
import type { RoundTime, SoloTimes } from './soloTraining.ts';

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** The median leaves out the first round, in which code is still being compiled. */
function typical(rounds: readonly RoundTime[], which: keyof RoundTime): number {
  return median(rounds.slice(rounds.length > 1 ? 1 : 0).map((round) => round[which]));
}

export function printSolo(
  title: string,
  size: { rows: number; features: number; depth: number },
  times: SoloTimes,
): void {
  const rounds = times.own.length;
  const row = (name: string, of: readonly RoundTime[], rest: string): void => {
    const total = of.reduce((sum, { wallMs }) => sum + wallMs, 0) / 1000;
    console.log(
      `  ${name.padEnd(26)}${ms(typical(of, 'wallMs')).padStart(10)}${ms(typical(of, 'cpuMs')).padStart(14)}${`${total.toFixed(1)} s`.padStart(12)}   ${rest}`,
    );
  };
  console.log(
    `\n${title}: ${size.rows} rows x ${size.features} features, depth ${size.depth}, ${rounds} rounds`,
  );
  console.log(`  ${''.padEnd(26)}median round   CPU time of it   all rounds`);
  row('tabgrad', times.own, `loading ${ms(times.loadMs)}`);
  row(`XGBoost hist, threads: ${times.threads}`, times.oracle, `binning ${ms(times.oracleBinningMs)}`);
  const ratio = (which: keyof RoundTime): string =>
    (typical(times.own, which) / typical(times.oracle, which)).toFixed(2);
  console.log(
    `  time of a round as a multiple of XGBoost's: ${ratio('wallMs')} (CPU time ${ratio('cpuMs')})`,
  );
  const sum = Object.values(times.phases).reduce((total, part) => total + part, 0);
  const shares = Object.entries(times.phases).map(
    ([phase, part]) => `${phase} ${ms(part)} (${((100 * part) / sum).toFixed(0)} %)`,
  );
  console.log(`  a round taken apart: ${shares.join(', ')}`);
  const floor = roundFloor(size.rows, size.features, size.depth);
  const seconds = times.phases.histogram / 1000;
  console.log(
    `  histogram: ${(floor.updates / 1e6).toFixed(1)} M updates a round, ${(floor.updates / seconds / 1e6).toFixed(0)} M/s; ` +
      `${(floor.bytes / 1e6).toFixed(0)} MB read at least`,
  );
}

/** Share of the adapter's measured rate of atomic additions; an update is two additions. */
export function printAtomicShare(
  size: { rows: number; features: number; depth: number },
  times: SoloTimes,
  atomicRate: number,
): void {
  const { updates } = roundFloor(size.rows, size.features, size.depth);
  const rate = (2 * updates) / (times.phases.histogram / 1000);
  console.log(
    `  atomic additions: ${(rate / 1e6).toFixed(0)} M/s needed and done, ${((100 * rate) / atomicRate).toFixed(0)} % of the ` +
      `${(atomicRate / 1e6).toFixed(0)} M/s that the adapter does alone`,
  );
}
