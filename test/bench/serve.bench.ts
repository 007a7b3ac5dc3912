// What serving costs: requests per second and latency of a tree model beside a bare node:http server that reads the same
// bodies and writes answers of the same size, on the same machine in one run; and rows per second of our predictor
// beside real XGBoost's in the same process. `npm run bench:serve [-- --ms 400 --replicas 1 --processes 1 --reports]`; --reports: to a
// coordinator in the same process, as for its dashboard; --beside DIST: the dist folder of another version, measured in turns.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { textTable } from '../../coordinator/cli/textTable.ts';
import type * as Api from '../../coordinator/index.ts';
import { flights, makeServedModels, oracleColumns } from '../coordinator/serve/servedModels.ts';
import type { LoadOrder, LoadReport } from './serve/loadGenerator.ts';

const { values } = parseArgs({
  options: {
    ms: { type: 'string', default: '400' },
    replicas: { type: 'string', default: '1' },
    processes: { type: 'string', default: '1' },
    beside: { type: 'string' },
    reports: { type: 'boolean', default: false },
  },
});
const measureMs = Number(values.ms);
const CONNECTIONS = [1, 4, 16, 64];
const ROUNDS = 5;
/** For the code to be compiled, before anything is measured. */
const WARM_UP_MS = 3_000;
const REPORT_DEADLINE_MS = 30_000;

// The bundle that users run: what runs TypeScript from source adds calls of its own to every function.
const dist = new URL('../../dist/', import.meta.url).href;
const api = async (folder: string): Promise<typeof Api> =>
  (await import(new URL('node/index.js', folder).href)) as typeof Api;
const { startCoordinator } = await api(dist);

const models = makeServedModels();
const coordinator = values.reports ? await startCoordinator({ port: 0 }) : undefined;
const serve = await started(dist, { processes: Number(values.processes) });
const before =
  values.beside === undefined ? undefined : await started(pathToFileURL(`${resolve(values.beside)}/`).href);
const generator = fork(new URL('./serve/loadGenerator.ts', import.meta.url));

async function started(folder: string, options: Api.RunOptions = {}): Promise<Api.Serve> {
  const { Checkpoint, deployment, Serve } = await api(folder);
  const started = new Serve({ coordinator });
  const checkpoint = new Checkpoint(models.late.checkpoint.modelPath);
  const model = deployment(checkpoint, { numReplicas: Number(values.replicas) });
  await started.run(model, { port: 0, ...options });
  return started;
}

interface Figures extends LoadReport {
  /** Processor time of this process, all its threads and not those of acceptors, a request. */
  readonly cpuUs: number;
}

async function load(order: LoadOrder): Promise<Figures> {
  const answer = once(generator, 'message', { signal: AbortSignal.timeout(REPORT_DEADLINE_MS) });
  const before = process.cpuUsage();
  generator.send(order);
  const [report] = (await answer) as [LoadReport];
  const { user, system } = process.cpuUsage(before);
  const requests = (report.requestsPerSecond / 1_000) * (order.warmUpMs + order.measureMs);
  return { ...report, cpuUs: (user + system) / requests };
}

/** By its requests per second. */
function median(figures: readonly Figures[]): Figures {
  return [...figures].sort((a, b) => a.requestsPerSecond - b.requestsPerSecond)[figures.length >> 1]!;
}

async function bareServer(answer: string): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      Buffer.concat(chunks).toString('utf8');
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function cells(
  count: number,
  connections: number,
  name: string,
  { requestsPerSecond, p50Ms, p99Ms, cpuUs }: Figures,
  ratio: string,
): string[] {
  const numbers = [requestsPerSecond.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuUs.toFixed(0)];
  return [String(count), String(connections), name, ...numbers, ratio];
}

async function httpTable(): Promise<string> {
  const rows: string[][] = [
    ['rows', 'connections', 'server', 'requests/s', 'p50 ms', 'p99 ms', 'CPU us', 'of bare'],
  ];
  for (const count of [1, 100]) {
    const body = JSON.stringify(flights(count));
    const answer = await (await fetch(serve.url!, { method: 'POST', body })).text();
    const bare = await bareServer(answer);
    const servers = [
      { name: 'bare', port: bare.port },
      ...(before ? [{ name: 'beside', port: Number(new URL(before.url!).port) }] : []),
      { name: 'tabgrad', port: Number(new URL(serve.url!).port) },
    ];
    for (const { port } of servers)
      await load({ port, body, connections: 16, warmUpMs: 0, measureMs: WARM_UP_MS });
    for (const connections of CONNECTIONS) {
      const order = { connections, body, warmUpMs: measureMs / 3, measureMs };
      const figures = servers.map((): Figures[] => []);
      // Turn and turn about, so that what else the machine does falls on all.
      for (let round = 0; round < ROUNDS; round++) {
        for (const [at, { port }] of servers.entries()) figures[at]!.push(await load({ ...order, port }));
      }
      const failures = figures.flat().reduce((sum, report) => sum + report.failures, 0);
      if (failures > 0) throw new Error(`${failures} requests failed`);
      const plain = median(figures[0]!);
      for (const [at, { name }] of servers.entries()) {
        const figure = median(figures[at]!);
        const share = (figure.requestsPerSecond / plain.requestsPerSecond) * 100;
        rows.push(cells(count, connections, name, figure, at === 0 ? '' : `${share.toFixed(0)} %`));
      }
    }
    await bare.close();
  }
  return textTable(rows);
}

/** Calls again and again for the time of a measurement; seconds a call. */
function secondsOf(call: () => void): number {
  for (let i = 0; i < 3; i++) call();
  const startedAt = performance.now();
  let calls = 0;
  while (performance.now() - startedAt < measureMs / 2) {
    call();
    calls += 1;
  }
  return (performance.now() - startedAt) / 1_000 / calls;
}

function predictorTable(): string {
  const rows: string[][] = [['rows', 'tabgrad rows/s', 'XGBoost rows/s', 'times as fast']];
  const predictor = models.late.checkpoint.toPredictor();
  for (const count of [1, 100, 10_000]) {
    const columns = oracleColumns(flights(count));
    const ours = count / secondsOf(() => void predictor.predict(columns, count));
    const theirs = count / secondsOf(() => void models.late.booster.predict({ columns, labels: [] }));
    rows.push([String(count), ours.toFixed(0), theirs.toFixed(0), (ours / theirs).toFixed(1)]);
  }
  return textTable(rows);
}

try {
  process.stdout.write(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores; Node ${process.version}; ` +
      `model of 6 trees, 3 features; ${values.replicas} replica(s), ${values.processes} process(es); ${measureMs} ms a figure\n\n`,
  );
  process.stdout.write(`${await httpTable()}\n\n`);
  process.stdout.write(
    `The predictor in process, float32 columns; XGBoost with its DMatrix made for each call\n\n`,
  );
  process.stdout.write(`${predictorTable()}\n`);
} finally {
  generator.disconnect();
  await serve.shutdown();
  await before?.shutdown();
  await coordinator?.close();
  models.remove();
}
