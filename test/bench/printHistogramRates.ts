// The table of histogram.bench.ts, for any GPU device.

import { createCpuTreeDevice } from '../../kernels/gbdt/devices/cpuDevice.ts';
import type { HistogramVariant } from '../../kernels/gbdt/ops/gbdtOps.ts';
import { createWebgpuTreeDevice } from '../../kernels/gbdt/devices/webgpuDevice.ts';
import type { HistogramBenchSize } from './histogramRate.ts';
import { benchSpec, measureAtomicRate, measureHistogramRate } from './histogramRate.ts';

const million = (rate: number): string => `${(rate / 1e6).toFixed(0).padStart(8)} M/s`;

export async function printHistogramRates(gpu: GPUDevice, size: HistogramBenchSize): Promise<void> {
  const spec = benchSpec(size.features);
  console.log(
    `${size.rows} rows x ${size.features} features of 256 slots, rows over ${size.nodes.join(', ')} nodes`,
  );
  const cpu = createCpuTreeDevice(spec);
  const row = (name: string, cells: readonly string[]): void =>
    console.log(`${name.padEnd(34)}${cells.join('')}`);
  row(
    'cpu',
    (await measureHistogramRate(cpu, size)).map((rate) => million(rate.updatesPerSecond)),
  );
  await cpu.close();
  const atomicRates = new Map<number, number>();
  for (const nodes of size.nodes) {
    // As many cells as the histogram has words, rounded to a power of two.
    const cells = 2 ** Math.ceil(Math.log2(nodes * size.features * 256 * 4));
    const threads = Math.ceil((size.rows * size.features) / 32);
    atomicRates.set(nodes, await measureAtomicRate(gpu, cells, threads));
  }
  row(
    'atomic additions of the adapter',
    [...atomicRates.values()].map((rate) => million(rate)),
  );
  const variants: readonly HistogramVariant[] = ['global', 'tiled'];
  for (const histogram of variants) {
    const device = await createWebgpuTreeDevice(gpu, spec, { histogram });
    const rates = await measureHistogramRate(device, size);
    row(
      `webgpu, ${histogram}`,
      rates.map((rate) => million(rate.updatesPerSecond)),
    );
    row(
      '  two additions each, share',
      rates.map((rate) =>
        `${((200 * rate.updatesPerSecond) / (atomicRates.get(rate.nodes) ?? 1)).toFixed(0)} %`.padStart(12),
      ),
    );
    await device.close();
  }
}
