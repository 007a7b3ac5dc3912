// The thread in which tfjs predicts: one that says nothing is ended.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openThread } from '../../../../coordinator/checkpoint/tfjsThread/openTfjsThread.ts';
import type { LayersFiles } from '../../../../shared/neural/model/layersFiles.ts';

const folder = mkdtempSync(join(tmpdir(), 'tabgrad-thread-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of a thread that counts in the first file of weights, and does what else is given. */
function counting(name: string, first: string): { program: string; counter: Int32Array; files: LayersFiles } {
  const program = join(folder, `${name}.mjs`);
  const text = `
import { parentPort, workerData } from 'node:worker_threads';
const counter = new Int32Array(workerData.files.weights[0].buffer);
${first}
setInterval(() => Atomics.add(counter, 0, 1), 1);
`;
  writeFileSync(program, text);
  const bytes = new Uint8Array(new SharedArrayBuffer(4));
  const files: LayersFiles = { modelTopology: {}, weightSpecs: [], weights: [bytes], scalings: [] };
  return { program, counter: new Int32Array(bytes.buffer), files };
}

/** Whether the thread goes on: it would count some hundred times meanwhile. */
async function counts(counter: Int32Array): Promise<boolean> {
  const before = Atomics.load(counter, 0);
  await new Promise((resolve) => {
    setTimeout(resolve, 300);
  });
  return Atomics.load(counter, 0) !== before;
}

it('ends a thread that does not open the model in time, and says so', async () => {
  const { program, counter, files } = counting('silent', '');
  await expect(openThread(program, { kind: 'net', files, device: 'cpu' }, 500)).rejects.toMatchObject({
    code: 'TFJS_UNAVAILABLE',
    message: 'The thread in which tfjs predicts did not open the model within 500 ms.',
  });
  expect(await counts(counter)).toBe(false);
});

it('ends a thread that can not open the model, and says why', async () => {
  const { program, counter, files } = counting(
    'failing',
    "parentPort.postMessage({ type: 'failed', message: 'no such layer' });",
  );
  await expect(openThread(program, { kind: 'net', files, device: 'cpu' }, 60_000)).rejects.toMatchObject({
    code: 'NEURAL_MODEL_INVALID',
    message: 'no such layer',
  });
  expect(await counts(counter)).toBe(false);
});

it('leaves a thread alone that has opened the model', async () => {
  const { program, counter, files } = counting(
    'open',
    "parentPort.postMessage({ type: 'facts', facts: { layers: 1, parameters: 0, inputs: [], outputs: [] } });",
  );
  const net = await openThread(program, { kind: 'net', files, device: 'cpu' }, 60_000);
  expect(net.facts.layers).toBe(1);
  expect(await counts(counter)).toBe(true);
  await net.close();
  expect(await counts(counter)).toBe(false);
});
