// `npm run bench:gbdt` times whole trainings; this prints what they stand on: histogram updates a second of each
// device and kernel, and for a GPU its own atomic rate. An update is two exact sums (g, h): two atomic additions or
// more. Run it by `node --import tsx test/bench/histogram.bench.ts [rows]`.

import { openNodeGpuDevice } from '../setup/nodeGpu.ts';
import { printHistogramRates } from './printHistogramRates.ts';

const gpu = await openNodeGpuDevice();
await printHistogramRates(gpu, { rows: Number(process.argv[2] ?? 131_072), features: 8, nodes: [1, 4, 32] });
gpu.destroy();
