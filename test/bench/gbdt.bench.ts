// `npm run bench:gbdt -- [--rows N] [--rounds N] [--quick] [--small|--prepare] [--only cpu|webgpu|swarm]`: the same training on
// the flights here and in real XGBoost on the same cores in the same run; --small: a thousand rounds on 500 rows instead;
// --prepare: preparing of 1,000,000 rows of numbers, and a whole run on them.
// It reports and doesn't fail.

import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createCpuTreeDevice } from '../../kernels/gbdt/devices/cpuDevice.ts';
import { jobThreads } from '../setup/jobThreads.ts';
import { createWasmTreeDevice } from '../../kernels/gbdt/devices/wasmDevice.ts';
import { createWebgpuTreeDevice } from '../../kernels/gbdt/devices/webgpuDevice.ts';
import { setup as buildBundles } from '../setup/buildBundles.ts';
import { openNodeGpuDevice } from '../setup/nodeGpu.ts';
import { flightsDataset, prepareFlights } from './gbdt/flightsTraining.ts';
import { printAtomicShare, printSolo } from './gbdt/printSolo.ts';
import { timeSoloTraining } from './gbdt/soloTraining.ts';
import { measureAtomicRate } from './histogramRate.ts';

const DEPTH = 6;
/** Software adapters do a tenth of what the cpu device does. */
const MOST_WEBGPU_ROWS = 262_144;

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    prepare: { type: 'boolean', default: false },
    part: { type: 'string' },
    file: { type: 'string' },
    only: { type: 'string' },
  },
});
const rows = Number(values.rows ?? (values.quick ? 200_000 : 2_100_000));
const rounds = Number(values.rounds ?? (values.quick ? 5 : 20));
const wanted = (part: string): boolean => values.only === undefined || values.only === part;

if (values.part !== undefined) {
  const { prepareParts } = await import('./gbdt/prepareTimes.ts');
  console.log(JSON.stringify(await prepareParts[values.part]!(values.file!)));
  process.exit(0);
}

if (values.prepare) {
  await buildBundles();
  console.log(`${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
  const { printPrepare } = await import('./gbdt/printPrepare.ts');
  await printPrepare(fileURLToPath(import.meta.url), Number(values.rows ?? 1_000_000));
  process.exit(0);
}

if (values.small) {
  await buildBundles();
  const { SMALL, timeSmall, timeSmallOracle } = await import('./gbdt/smallTraining.ts');
  console.log(`${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
  console.log(
    `${SMALL.rounds} rounds on ${SMALL.rows} rows x ${SMALL.features} features, log loss each round`,
  );
  console.log('  workers     round   CPU of owner and coordinator   XGBoost (1 thread)');
  const oracle = timeSmallOracle();
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  for (const workers of [1, 2, 4]) {
    const { roundMs, ownCpuMs } = await timeSmall(workers);
    console.log(
      `  ${String(workers).padStart(7)}${ms(roundMs).padStart(10)}${ms(ownCpuMs).padStart(31)}${ms(oracle).padStart(21)}`,
    );
  }
  process.exit(0);
}

console.log(`${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
const dataset = await (await flightsDataset(rows)).materialize();
const flights = await prepareFlights(dataset, rounds);
const size = { rows: flights.rows, features: flights.spec.features.length, depth: DEPTH };

if (wanted('cpu')) {
  const plain = createCpuTreeDevice(flights.spec.device);
  printSolo('cpu device in JavaScript', size, await timeSoloTraining(flights, plain, 1, rounds));
  await buildBundles();
  for (const threads of [1, 2]) {
    const device = await createWasmTreeDevice(flights.spec.device, jobThreads(threads));
    const title = `cpu device in WebAssembly, threads: ${threads}`;
    printSolo(title, size, await timeSoloTraining(flights, device, threads, rounds));
  }
}

if (wanted('webgpu')) {
  const few = Math.min(rows, values.quick ? 65_536 : MOST_WEBGPU_ROWS);
  const part = await prepareFlights(await (await flightsDataset(few)).materialize(), rounds);
  const gpu = await openNodeGpuDevice();
  const { adapterInfo } = gpu;
  const device = await createWebgpuTreeDevice(gpu, part.spec.device);
  const fewer = Math.min(rounds, 5);
  const times = await timeSoloTraining(part, device, 1, fewer, true);
  const partSize = { ...size, rows: part.rows };
  printSolo(
    `webgpu device on ${adapterInfo.description || adapterInfo.device || adapterInfo.vendor}`,
    partSize,
    times,
  );
  const cells =
    2 **
    Math.ceil(Math.log2(4 * 8 * part.spec.device.slotsPerFeature.reduce((sum, slots) => sum + slots, 0)));
  printAtomicShare(
    partSize,
    times,
    await measureAtomicRate(gpu, cells, Math.ceil((part.rows * size.features) / 32)),
  );
  gpu.destroy();
}

if (wanted('swarm')) {
  await buildBundles();
  const { printSwarm, timeSwarm } = await import('./gbdt/swarmTraining.ts');
  console.log(
    `\nswarm of Node processes on this machine, log loss of the training set each round, ${rows} rows`,
  );
  console.log('  workers     round   compute  exchange      sent   XGBoost (threads)   ratio');
  for (const workers of [1, 2, 4]) printSwarm(await timeSwarm(dataset, flights.oracle, rounds, workers));
}
