// `npm run bench:steps`: what checks of a net's steps cost, in time and bytes, and after how many steps a lie is found. All
// members are in one process: the time of a step is what its processors spend on it, hashes in other threads included.

import type { NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';
import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import { NetWorld } from '../client/neural/run/netWorld.ts';
import { lying } from '../client/neural/run/lyingEngine.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { median } from './median.ts';

const MEMBERS = 4;
const CHECK_EVERY = 20;
const SEEDS = Number(process.argv[2] ?? 100);
const TURNS = 3;
const STEPS = 150;
const names = Array.from({ length: MEMBERS }, (_, at) => `w${at}`);

async function world(change: Partial<NeuralSpec>, seed: number, liar?: () => boolean): Promise<NetWorld> {
  const opened = await NetWorld.start(
    { engine: 'compiled', reportEverySteps: 1_000_000, checkpointEverySteps: 1_000_000, ...change },
    (engine, workerId) => (liar && workerId === 'w2' ? lying(engine, liar) : engine),
  );
  const { valid: _, ...spec } = opened.spec;
  opened.spec = spec;
  opened.isChecked = true;
  opened.randomOf = (workerId) => seededRandom(1000 * seed + Number(workerId.slice(1)));
  names.forEach((name) => opened.addWorker(name));
  return opened;
}

/** Milliseconds of processor time and bytes a step, of all members together. */
async function cost(
  checkEverySteps: number,
  examples: number,
  turn: number,
): Promise<{ ms: number; bytes: number }> {
  // A net of 24,000 weights in one bucket.
  const batches = { globalBatchSize: MEMBERS * examples, microbatchSize: examples };
  const change = { steps: STEPS, checkEverySteps, ...batches, topology: wide, bucketBytes: 4 * 1024 * 1024 };
  const opened = await world(change, turn);
  await opened.form(1, names);
  const begun = process.cpuUsage();
  opened.sayAll(names, { type: 'begin', runId: 'net-1', generation: 1 });
  const told: WorkerMessageOf<'committed'>[] = [];
  const all = names.map(async (name) => {
    for (;;) {
      const message = await opened.hear(name, 'committed');
      told.push(message);
      if (message.round === STEPS - 1) return;
    }
  });
  await Promise.all(all);
  const { user, system } = process.cpuUsage(begun);
  const ms = (user + system) / 1000 / STEPS;
  await opened.close();
  return { ms, bytes: told.reduce((sum, { bytesSent }) => sum + bytesSent, 0) / STEPS };
}

/** Steps from the first lie to the step in which it was found, and lies until then. */
async function detection(seed: number): Promise<{ steps: number; lies: number }> {
  const random = seededRandom(77_000 + seed);
  let first: number | undefined;
  let lies = 0;
  let step = -1;
  const liar = (): boolean => {
    step += 1;
    const isLie = random() < 1 / CHECK_EVERY;
    if (isLie) first ??= step;
    if (isLie) lies += 1;
    return isLie;
  };
  const change = { steps: 1_000_000, checkEverySteps: CHECK_EVERY, globalBatchSize: 8, microbatchSize: 2 };
  const opened = await world(change, seed, liar);
  await opened.begin(1, names);
  const { round, dispute } = await opened.hear('w0', 'checkedSteps', (told) => told.dispute !== undefined);
  await opened.halt(1, names, 'now');
  await opened.close();
  if (dispute?.rank !== 2 || dispute.found === dispute.claimed)
    throw new Error('an honest member was accused');
  return { steps: round - first! + 1, lies };
}

const dense = (config: object): object => ({ class_name: 'Dense', config });
const wide = {
  class_name: 'Sequential',
  config: {
    name: 'wide',
    layers: [
      dense({ name: 'a', units: 150, activation: 'relu', batch_input_shape: [null, 4] }),
      dense({ name: 'b', units: 150, activation: 'relu' }),
      dense({ name: 'c', units: 2, activation: 'softmax' }),
    ],
  },
};

const more = (a: number, b: number): string => `${(100 * (b / a - 1)).toFixed(1)} %`;
console.log(`| ${MEMBERS} members, a check every ${CHECK_EVERY} steps | off | on | more |`);
console.log('| --- | --- | --- | --- |');
await cost(0, 8, 0);
for (const examples of [8, 32]) {
  const [off, on]: { ms: number; bytes: number }[][] = [[], []];
  for (let turn = 0; turn < TURNS; turn += 1) {
    off!.push(await cost(0, examples, turn));
    on!.push(await cost(CHECK_EVERY, examples, turn));
  }
  const middle = (of: 'ms' | 'bytes'): [number, number] => [
    median(off!.map((one) => one[of])),
    median(on!.map((one) => one[of])),
  ];
  const [msOff, msOn] = middle('ms');
  const [bytesOff, bytesOn] = middle('bytes');
  const what = `of all members together, ${examples} examples each`;
  console.log(
    `| ms of processor time a step ${what} | ${msOff.toFixed(1)} | ${msOn.toFixed(1)} | ${more(msOff, msOn)} |`,
  );
  const [a, b] = [bytesOff / 1e3, bytesOn / 1e3];
  console.log(`| kB a step ${what} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${more(a, b)} |`);
}

const found: { steps: number; lies: number }[] = [];
for (let seed = 0; seed < SEEDS; seed += 1) found.push(await detection(seed));
if (SEEDS > 0) {
  const quantile = (of: 'steps' | 'lies', q: number): number => {
    const sorted = found.map((one) => one[of]).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  };
  console.log(`\n| a lie in one of ${CHECK_EVERY} steps, ${SEEDS} seeds | median | p99 |`);
  console.log('| --- | --- | --- |');
  for (const of of ['steps', 'lies'] as const)
    console.log(`| ${of} until it was found | ${quantile(of, 0.5)} | ${quantile(of, 0.99)} |`);
}
