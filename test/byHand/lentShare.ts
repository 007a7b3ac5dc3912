// `npm run measure:share`, on Linux: how much of a core a lending tab takes at each share of the join page, as the page says and
// as the system counts it: its computing thread, and for WebGPU the browser's GPU process, which is SwiftShader here.

import { chromium } from 'playwright-core';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';
import { fromItems, GBDTTrainer, startCoordinator } from '../../coordinator/index.ts';

const SETTLE_MS = 6_000;
const MEASURE_MS = 12_000;
/** Of /proc: hundredths of a second. */
const TICKS_PER_SECOND = 100;
const shares = [1, 0.75, 0.5, 0.25];

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const percentWords = (share: number): string => `${(100 * share).toFixed(1)} %`;

interface Counted {
  /** Of dedicated workers' threads in all renderers. */
  readonly threads: number;
  readonly gpuProcess: number;
}

/** Seconds of processor time so far, of the processes below this one. */
function processorSeconds(): Counted {
  let threads = 0;
  let gpuProcess = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // Chromium writes the words of its processes anew, with spaces between them.
    const words = read(`/proc/${pid}/cmdline`);
    if (words.includes('--type=gpu-process')) gpuProcess += secondsOf(read(`/proc/${pid}/stat`));
    if (!words.includes('--type=renderer')) continue;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = read(`/proc/${pid}/task/${thread}/stat`);
      if (stat.includes('(DedicatedWorker')) threads += secondsOf(stat);
    }
  }
  return { threads, gpuProcess };
}

function secondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const folder = await mkdtemp(join(tmpdir(), 'tabgrad-share-'));
const coordinator = await startCoordinator({ port: 0 });
const { executablePath, libraryPath, fontsPath } = await unpackChromium();
const rows = Array.from({ length: 60_000 }, (_, i) => ({
  x: (i * 7919) % 251,
  z: (i * 104_729) % 241,
  w: (i * 1_299_709) % 239,
  y: ((i * 7919) % 251) * 2 + ((i * 104_729) % 241),
}));

for (const device of ['cpu', 'webgpu'] as const) {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
  });
  const page = await browser.newPage();
  await page.goto(coordinator.joinUrl.replace('#', `?device=${device}#`));
  await page.click('#join');
  const over = new AbortController();
  const running = new GBDTTrainer({
    datasets: { train: fromItems(rows) },
    labelColumn: 'y',
    params: { objective: 'reg:squarederror', max_depth: 6, eta: 0.01 },
    numBoostRound: 100_000,
    scalingConfig: {
      url: coordinator.url,
      token: coordinator.tokens.admin,
      numWorkers: 1,
      runtime: 'browser',
      device,
    },
    runConfig: { name: `share-${device}`, storagePath: folder, verbose: 0 },
  })
    .fit({ signal: over.signal })
    .catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
  await page.waitForFunction(() => document.querySelector('#state')?.textContent === 'Training', undefined, {
    timeout: 120_000,
  });
  process.stdout.write(`${device}\n`);
  for (const share of shares) {
    await page.check(`input[name="share"][value="${share}"]`, { force: true });
    await pause(SETTLE_MS);
    const [before, from] = [processorSeconds(), performance.now()];
    await pause(MEASURE_MS);
    const [after, seconds] = [processorSeconds(), (performance.now() - from) / 1000];
    const told = (await page.textContent('#used-share'))?.trim() ?? 'nothing';
    process.stdout.write(
      `  lent ${percentWords(share)}: the page says "${told}"; computing thread ${percentWords((after.threads - before.threads) / seconds)} of a core` +
        `, GPU process ${percentWords((after.gpuProcess - before.gpuProcess) / seconds)}\n`,
    );
  }
  over.abort();
  await running;
  await browser.close();
}
await coordinator.close();
await rm(folder, { recursive: true });
