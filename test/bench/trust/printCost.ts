// Rounds of two strangers, with and without checks, in turns.

import type { ProgressEvent } from '../../../coordinator/progress/progressEvent.ts';
import { flights, Swarm } from '../../endToEnd/swarm.ts';
import { median } from '../median.ts';

const WORKERS = 2;
const REPEATS = 3;
/** Rounds that warm up. */
const WARM_UP = 5;

interface Cost {
  readonly roundMs: number;
  readonly coordinatorMs: number;
  readonly bytesSent: number;
}

export async function printCost(rows: number, rounds: number): Promise<void> {
  const train = await flights(rows).materialize();
  const swarms = {
    never: await Swarm.start({ checkWork: 'never' }),
    auto: await Swarm.start({ checkWork: 'auto' }),
  };
  try {
    const costs: Record<keyof typeof swarms, Cost[]> = { never: [], auto: [] };
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      for (const checks of ['never', 'auto'] as const) {
        const swarm = swarms[checks];
        await swarm.add('node', 'cpu', WORKERS, false, 'join');
        costs[checks].push(await timeRounds(swarm, train, rounds));
        await swarm.dismiss();
      }
    }
    console.log(
      `\n${rows.toLocaleString('en')} flights, 5 features, depth 6, ${WORKERS} strangers, medians of ${REPEATS}`,
    );
    console.log('  checks     ms a round   coordinator ms a round   bytes a round and member');
    const of = (checks: keyof typeof costs, what: keyof Cost): number =>
      median(costs[checks].map((cost) => cost[what]));
    for (const checks of ['never', 'auto'] as const) {
      const line = (['roundMs', 'coordinatorMs', 'bytesSent'] as const).map((what) =>
        of(checks, what).toFixed(1),
      );
      console.log(
        `  ${checks.padEnd(10)} ${line[0]!.padStart(10)} ${line[1]!.padStart(24)} ${line[2]!.padStart(26)}`,
      );
    }
    console.log(
      `  a round takes ${((of('auto', 'roundMs') / of('never', 'roundMs') - 1) * 100).toFixed(1)} % longer`,
    );
    const computing = WORKERS * of('never', 'roundMs');
    const extra = of('auto', 'coordinatorMs') - of('never', 'coordinatorMs');
    console.log(
      `  the check itself takes ${((extra / computing) * 100).toFixed(1)} % of what the members compute`,
    );
  } finally {
    await Promise.all(Object.values(swarms).map((swarm) => swarm.close()));
  }
}

async function timeRounds(
  swarm: Swarm,
  train: Awaited<ReturnType<ReturnType<typeof flights>['materialize']>>,
  rounds: number,
): Promise<Cost> {
  let startMs = 0;
  let cpu = process.cpuUsage();
  let made = 0;
  const bytes: number[] = [];
  const onEvent = (event: ProgressEvent): void => {
    if (event.type !== 'round') return;
    made = event.committed.round + 1;
    bytes.push(...event.timings.map(({ bytesSent }) => bytesSent));
    if (made !== WARM_UP) return;
    startMs = performance.now();
    cpu = process.cpuUsage();
  };
  const params = { objective: 'binary:logistic', max_depth: 6, eval_metric: ['logloss'] };
  await swarm.train({ datasets: { train }, params, numBoostRound: rounds }, WORKERS, onEvent);
  const { user, system } = process.cpuUsage(cpu);
  const timed = rounds - WARM_UP;
  return {
    roundMs: (performance.now() - startMs) / timed,
    coordinatorMs: (user + system) / 1000 / timed,
    bytesSent: bytes.reduce((sum, one) => sum + one, 0) / Math.max(1, bytes.length),
  };
}
