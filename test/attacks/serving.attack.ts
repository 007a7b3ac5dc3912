// What callers can make a server of predictions hold and do.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeServedModels, type ServedModels } from '../coordinator/serve/servedModels.ts';
import { attackedServer, slowestAnswerMs, type AttackedCoordinator } from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';
import { MEBIBYTE } from './rawWebSocket.ts';

let models: ServedModels;
beforeAll(() => void (models = makeServedModels()));
afterAll(() => models.remove());

const start = (): Promise<AttackedCoordinator> =>
  attackedServer(['--checkpoint', models.late.checkpoint.modelPath]);
const ROW = '{"distance":5,"hour":3,"carrier":"AA"}';
const JSON_BYTES = 15 * MEBIBYTE;

/** @returns how long the answer took, in ms. */
async function post(url: string, path: string, body: string): Promise<{ status: number; ms: number }> {
  const askedAt = performance.now();
  const response = await fetch(new URL(path, url), { method: 'POST', body });
  await response.arrayBuffer();
  return { status: response.status, ms: performance.now() - askedAt };
}

test('callers send bodies that do not end', async (context) => {
  await using server = await start();
  const { port, hostname } = new URL(server.url);
  await post(server.url, '/', ROW);
  const before = server.residentMiB();
  const sockets: Socket[] = [];
  const body = Buffer.alloc(15 * MEBIBYTE, 0x20);
  const head = `POST / HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${16 * MEBIBYTE}\r\n\r\n`;
  const sent = Array.from({ length: 100 }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined).resume();
    sockets.push(socket);
    socket.write(head);
    return new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.write(body, () => resolve());
    });
  });
  let peakMiB = before;
  const sampling = setInterval(() => (peakMiB = Math.max(peakMiB, server.residentMiB())), 20);
  // A caller with one row, from the same address.
  const slowestMs = await slowestAnswerMs(server, { path: '/', body: ROW }, Promise.all(sent));
  clearInterval(sampling);
  for (const socket of sockets) socket.destroy();
  expectAtMost(context, { what: 'memory grew by', value: peakMiB - before, atMost: 600, unit: 'MiB' });
  expectAtMost(context, { what: 'computed before an answer', value: slowestMs, atMost: 1_500, unit: 'ms' });
});

const repeated = (text: string): string => text.repeat(Math.floor(JSON_BYTES / text.length));
const nearMisses = (): string => Array.from({ length: 900_000 }, (_, i) => `"hou${i.toString(36)}":1`).join();
const infer = (data: string): string =>
  `{"inputs":[{"name":"hour","shape":[1],"datatype":"FP32","data":${data}}]}`;

for (const [what, path, body] of [
  ['brackets', '/', () => repeated('[')],
  ['closed brackets', '/', () => '['.repeat(JSON_BYTES / 2) + ']'.repeat(JSON_BYTES / 2)],
  ['brackets in a string', '/', () => JSON.stringify(repeated('['))],
  ['braces', '/', () => repeated('{"":')],
  ['empty arrays', '/', () => `[${repeated('[],')}1]`],
  ['empty objects', '/', () => `[${repeated('{},')}1]`],
  ['keys that nearly fit', '/', () => `[{${nearMisses()}}]`],
  ['deep tensors', '/v2/models/default/infer', () => infer(repeated('['))],
  ['empty tensors', '/v2/models/default/infer', () => infer(`[${repeated('[[[[[[]]]]]],')}1]`)],
  [
    'very many tensors',
    '/v2/models/default/infer',
    () => `{"inputs":[${repeated('{"name":"h","shape":[1],"datatype":"FP32","data":[1]},')}{}]}`,
  ],
  [
    'very many parameters',
    '/v2/models/default/infer',
    () =>
      `{"parameters":{${nearMisses()}},"inputs":[{"name":"hour","shape":[1],"datatype":"FP32","data":[1]}]}`,
  ],
] as const) {
  test(`a caller sends 15 MB of ${what}`, async (context) => {
    await using server = await start();
    const rows = `[${Array(Math.floor(JSON_BYTES / (ROW.length + 1)))
      .fill(ROW)
      .join()}]`;
    // As long as an honest request of that length takes, and no longer.
    const honest = await post(server.url, '/', rows);
    expect(honest.status).toBe(200);
    const { status, ms } = await post(server.url, path, body());
    expect(status).toBe(400);
    expectAtMost(context, { what: 'took', value: ms / honest.ms, atMost: 1, unit: 'times an honest one' });
  });
}
