// `npm run bench:neural [-- --quick] [--only cpu|kernels|step] [--json FILE] [--batch N] [--alone] [--tuned]`: how fast the neural kernels are on
// this adapter, beside its peak and beside tfjs and jax-js. From `node scripts/build.mjs bench` on, dist/bench/neural.js
// does the same with nothing but Node, and a dawn.node that TABGRAD_DAWN names.

import { writeFileSync } from 'node:fs';
import { adapterClass, createTileChooser } from '../../kernels/neural/product/chooseTile.ts';
import { PlanTimer } from '../../kernels/neural/product/planTimer.ts';
import { noBlobCache } from '../../client/blobs/blobCache.ts';
import { tunedConvolutions } from '../../client/runtime/tunedConvolutions.ts';
import { measurePeaks } from './neural/adapterPeaks.ts';
import { benchArguments } from './neural/benchArguments.ts';
import { openJaxRates } from './neural/jaxRates.ts';
import type { KernelRate } from './neural/kernelRates.ts';
import { kernelRates } from './neural/kernelRates.ts';
import { largeStemLayers, smallStemLayers, squareProducts } from './neural/layerShapes.ts';
import { openBenchGpu } from './neural/openBenchGpu.ts';
import { stepFacts } from './neural/stepFacts.ts';
import {
  compiledSpec,
  compiledStep,
  fallbackStep,
  stepNets,
  submissionsOfStep,
  tfjsStep,
} from './neural/stepRates.ts';
import type { PeerRates } from './neural/tfjsRates.ts';
import { openTfjsRates } from './neural/tfjsRates.ts';
import { printProcessorRates } from './neural/processorRates.ts';

const { quick, json, alone, tuned, ...given } = benchArguments();
if (given.only === 'cpu') {
  await printProcessorRates(quick);
  process.exit(0);
}
const { gpu, device, adapter } = await openBenchGpu();
const { vendor, architecture, description } = adapter.info;
const kind = adapterClass(adapter.info);
const isSoftware = kind === 'software';
console.log(`Adapter: ${vendor} ${architecture} ${description} (${kind})`);

const secondsWanted = isSoftware || quick ? 0.05 : 0.02;
const timer = new PlanTimer(device, { secondsWanted, measurements: 3, now: () => performance.now() });
const peaks = await measurePeaks(
  timer,
  isSoftware ? { threads: 8192, copyBytes: 2 ** 24 } : { threads: 2 ** 21, copyBytes: 2 ** 29 },
);
console.log(
  `Multiply-adds in registers ${(peaks.flopPerSecond / 1e9).toFixed(1)} GFLOP/s, copy ${(peaks.bytesPerSecond / 1e9).toFixed(1)} GB/s read and written, a dispatch ${(1e6 * peaks.dispatchSeconds).toFixed(1)} µs`,
);

const others: Record<string, PeerRates> = {};
if (!alone && given.only !== 'step') {
  others['tfjs'] = await openTfjsRates({ repeats: isSoftware ? 1 : 10, secondsWanted });
  const jax = await openJaxRates({ repeats: isSoftware ? 1 : 10 });
  if ('missing' in jax) console.log(`jax-js is left out: ${jax.missing}.`);
  else others['jax-js'] = jax;
}

const batch = given.batch ?? (isSoftware ? 2 : 128);
const sizes = isSoftware ? [256, 512] : [512, 1024, 2048, 4096];
const layers = quick
  ? [...smallStemLayers.slice(0, 2), ...squareProducts(sizes.slice(0, 1))]
  : [...smallStemLayers, ...largeStemLayers, ...squareProducts(sizes)];
const rates: KernelRate[] = [];
const steps: { net: string; batch: number; milliseconds: number; peers: Record<string, number> }[] = [];
/** After each figure, so that a run cut short leaves what it has. */
function save(): void {
  if (json === undefined) return;
  writeFileSync(
    json,
    JSON.stringify({ adapter: { vendor, architecture, description, kind }, peaks, batch, rates, steps }),
  );
}
save();
if (given.only !== 'step') {
  const names = Object.keys(others);
  console.log(`\nBatch ${batch}. Milliseconds; times slower than ours for the others.`);
  const columns = ['GFLOP/s', 'of peak', 'ms', ...names].map((name) => name.padStart(12)).join('');
  console.log(`${''.padEnd(46)}${columns}`);
  for await (const rate of kernelRates(layers, {
    timer,
    chooser: createTileChooser(kind),
    peaks,
    batch,
    others,
  })) {
    rates.push(rate);
    save();
    const cells = [
      rate.gflopPerSecond.toFixed(1),
      `${(100 * rate.shareOfPeak).toFixed(0)} %`,
      rate.milliseconds.toFixed(3),
      ...names.map((name) => {
        const milliseconds = rate.others[name];
        return milliseconds === undefined ? '' : `${(milliseconds / rate.milliseconds).toFixed(1)} x`;
      }),
    ];
    const label = `${rate.layer}, ${rate.product}`;
    console.log(`${label.padEnd(46)}${cells.map((cell) => cell.padStart(12)).join('')}`);
  }
}
if (given.only !== 'kernels') {
  const nets = quick || isSoftware ? [stepNets.small] : [stepNets.small, stepNets.lesson, stepNets.large];
  const timing = isSoftware ? { leastSteps: 2, secondsWanted: 0 } : { leastSteps: 3, secondsWanted: 2 };
  console.log(`\nOne training step, batch ${batch}: forward, backward, update, loss read back.`);
  for (const net of nets) {
    const facts = stepFacts(device, compiledSpec(net, batch), peaks);
    const seconds = await compiledStep(device, net, batch, timing);
    const share = (net.flop * batch) / seconds / peaks.flopPerSecond;
    const multiplied = net.flop === 0 ? '' : `, ${(100 * share).toFixed(0)} % of the adapter's multiply-adds`;
    console.log(
      `${net.name}: ${(1000 * seconds).toFixed(1)} ms, ${(batch / seconds).toFixed(0)} images/s${multiplied}`,
    );
    const submissions = await submissionsOfStep(device, net, batch);
    const { dispatches, memory, bytes, floorSeconds } = facts;
    const megabytes = (count: number): string => `${(count / 2 ** 20).toFixed(1)} MiB`;
    console.log(
      `  ${dispatches} dispatches in ${submissions} submissions, those of the loss's read included; ${megabytes(memory.total)} planned (${megabytes(memory.activations)} activations), ` +
        `${megabytes(bytes)} touched; floor ${(1000 * floorSeconds).toFixed(1)} ms, ${((100 * floorSeconds) / seconds).toFixed(0)} % of the step`,
    );
    const peers: Record<string, number> = {};
    steps.push({ net: net.name, batch, milliseconds: 1000 * seconds, peers });
    save();
    if (tuned) {
      const place = {
        cache: noBlobCache,
        now: () => performance.now(),
        log: (line: string) => console.log(`  ${line}`),
      };
      const convolutions = await tunedConvolutions(device, adapter.info, compiledSpec(net, batch), place);
      const tunedSeconds = await compiledStep(device, net, batch, timing, convolutions);
      console.log(
        `  with those tiles: ${(1000 * tunedSeconds).toFixed(2)} ms, ${(seconds / tunedSeconds).toFixed(2)} times as fast as by the estimate`,
      );
    }
    if (alone) continue;
    for (const [peer, timeStep] of Object.entries({ 'tfjs-webgpu': tfjsStep, fallback: fallbackStep })) {
      // An adapter gives one device only, hence a fresh one.
      const fresh = await gpu.requestAdapter({ powerPreference: 'high-performance' });
      if (!fresh) throw new Error('WebGPU offers no second adapter for tfjs.');
      const peerSeconds = await timeStep(fresh, net, batch, timing);
      console.log(
        `  ${peer}: ${(1000 * peerSeconds).toFixed(1)} ms, ${(peerSeconds / seconds).toFixed(1)} times ours`,
      );
      peers[peer] = 1000 * peerSeconds;
      save();
    }
  }
}
if (given.only !== 'kernels' && !alone) await printProcessorRates(quick);
device.destroy();
// Dawn's threads and those of the others would keep the process alive.
process.exit(0);
