import { connect } from 'node:net';
import { request as httpRequest } from 'node:http';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { makeServedModels, type ServedModels } from './servedModels.ts';

let models: ServedModels;
let port = 0;
const logged: string[] = [];
const serve = new Serve({ log: ({ level, message }) => void (level === 'error' && logged.push(message)) });

beforeAll(async () => {
  models = makeServedModels();
  await serve.run(deployment(models.late.checkpoint), {
    port: 0,
    bodyTimeoutS: 0.3,
    headersTimeoutS: 0.3,
    maxBodyBytes: 1024 * 1024,
  });
  port = Number(new URL(serve.url!).port);
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

interface Failure {
  status: number;
  error: { code: string; message: string; row?: number; field?: string };
}

async function post(body: string | Uint8Array<ArrayBuffer>, place = '/'): Promise<Failure> {
  const response = await fetch(serve.url + place, { method: 'POST', body });
  const { error } = (await response.json()) as Failure;
  return { status: response.status, error };
}

async function expectAlive(): Promise<void> {
  const body = '{"distance":1,"hour":2,"carrier":"AA"}';
  expect((await fetch(serve.url!, { method: 'POST', body })).status).toBe(200);
}

/** Writes raw bytes and collects what comes back until the server closes. */
function raw(text: string, keepOpen = true): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => (keepOpen ? socket.write(text) : socket.end(text)));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

const good = { distance: 100, hour: 5, carrier: 'AA' };

describe('JSON that would take long to read', () => {
  const padding = ' '.repeat(16 * 1024);
  const keys = (count: number): string =>
    `[{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":1`).join()},"distance":1,"hour":2,"carrier":null}]`;
  const infer = (data: string): string =>
    `{"inputs":[{"name":"distance","shape":[1],"datatype":"FP32","data":${data}}]}${padding}`;
  const cases: readonly [string, string, string, RegExp][] = [
    ['arrays nested deep', '/', '['.repeat(500_000), /nested 32 deep, these are deeper\.$/],
    ['objects nested deep', '/', '{"a":'.repeat(100_000), /nested 32 deep, these are deeper\.$/],
    ['arrays nested deep in a string', '/', JSON.stringify('['.repeat(500_000)), /nested 32 deep/],
    ['tensors nested deep', '/v2/models/default/infer', infer('['.repeat(500_000)), /nested 32 deep/],
    ['very many keys', '/', keys(10_001), /An object may have 10000 keys, one has more\.$/],
    ['very many keys in a string', '/', JSON.stringify(keys(10_001)), /An object may have 10000 keys/],
  ];
  it.each(cases)('is refused: %s', async (_, place, body, message) => {
    const response = await fetch(serve.url + place, { method: 'POST', body });
    const text = await response.text();
    expect([response.status, text]).toEqual([400, expect.stringContaining('BAD_REQUEST')]);
    const { error } = JSON.parse(text) as { error: string | { message: string } };
    expect(typeof error === 'string' ? error : error.message).toMatch(message);
    await expectAlive();
  });

  it('is read as long as it is within the bounds', async () => {
    const deep = `${'['.repeat(30)}${']'.repeat(30)}`;
    const body = JSON.stringify([{ ...good, more: 'MORE', text: `${'['.repeat(100)}${':'.repeat(20_000)}` }]);
    const response = await fetch(serve.url!, { method: 'POST', body: body.replace('"MORE"', deep) });
    expect([response.status, await response.json()]).toEqual([
      200,
      [{ predictions: expect.any(Number) as number }],
    ]);
    expect((await fetch(serve.url!, { method: 'POST', body: keys(9_990) })).status).toBe(200);
  });

  it('looks for a misspelt field among the first of very many, and no longer', async () => {
    const strangers = Array.from({ length: 9_000 }, (_, i) => `"hou${i}":1`);
    const at = (place: number): string =>
      `[{${strangers.toSpliced(place, 0, '"distanze":1').join()},"hour":2,"carrier":null}]`;
    expect((await post(at(0))).error.message).toMatch(/There is "distanze": is it meant\?$/);
    expect((await post(at(8_000))).error.message).toBe(
      'Row 0 lacks the field "distance"; a value that is not known is sent as null.',
    );
  });

  it('has no more tensors than a model may have features', async () => {
    const tensor = '{"name":"x","shape":[1],"datatype":"FP32","data":[1]}';
    const body = `{"inputs":[${Array(16_385).fill(tensor).join()}]}`;
    const response = await fetch(`${serve.url}/v2/models/default/infer`, { method: 'POST', body });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'SERVE_INPUT_INVALID', error: 'inputs: expected at most 16384, there are 16385.' },
    ]);
  });
});

describe('rows that do not fit', () => {
  const cases: readonly [string, string, string, RegExp, object?][] = [
    ['text that is no JSON', '{"distance": 1,', 'BAD_REQUEST', /not JSON/],
    ['an empty body', '', 'BAD_REQUEST', /not JSON/],
    ['NaN, which JSON does not have', '[{"distance": NaN}]', 'BAD_REQUEST', /send null for a missing value/],
    ['a string that holds no JSON', '"abc"', 'BAD_REQUEST', /not JSON/],
    ['a number', '7', 'SERVE_INPUT_INVALID', /The body is a number; expected an array of records/],
    ['null', 'null', 'SERVE_INPUT_INVALID', /The body is null/],
    [
      'a row that is a number',
      JSON.stringify([good, 7]),
      'SERVE_INPUT_INVALID',
      /Row 1 is a number/,
      { row: 1 },
    ],
    [
      'a missing field, with the one that is meant',
      JSON.stringify([good, { distanse: 1, hour: 1, carrier: 'AA' }]),
      'SERVE_INPUT_INVALID',
      /Row 1 lacks the field "distance".*There is "distanse"/,
      { row: 1, field: 'distance' },
    ],
    [
      'text where a number is expected',
      JSON.stringify([good, good, { ...good, hour: '5' }]),
      'SERVE_INPUT_INVALID',
      /Row 2, field "hour" holds "5"; expected a number/,
      { row: 2, field: 'hour' },
    ],
    [
      'a number where a category is expected',
      JSON.stringify({ ...good, carrier: 3 }),
      'SERVE_INPUT_INVALID',
      /field "carrier" holds 3; expected a category by its name/,
      { row: 0, field: 'carrier' },
    ],
    ['an object as a value', JSON.stringify({ ...good, hour: {} }), 'SERVE_INPUT_INVALID', /holds an object/],
    [
      'a number beyond float32',
      '{"distance":1e300,"hour":1,"carrier":"AA"}',
      'SERVE_INPUT_INVALID',
      /range of float32/,
    ],
    [
      'columns of different lengths',
      JSON.stringify({ distance: [1, 2], hour: [1], carrier: ['AA', 'AA'] }),
      'SERVE_INPUT_INVALID',
      /Column "hour" has 1 rows and "distance" has 2/,
    ],
    [
      'columns among single values',
      JSON.stringify({ distance: [1, 2], hour: 1, carrier: ['AA', 'AA'] }),
      'SERVE_INPUT_INVALID',
      /Column "hour" is a number, while others are arrays/,
    ],
    [
      'a missing column',
      JSON.stringify({ distance: [1], hour: [2] }),
      'SERVE_INPUT_INVALID',
      /columns lack the field "carrier"/,
    ],
    [
      'a row of too few values',
      '[[1,2]]',
      'SERVE_INPUT_INVALID',
      /Row 0 has 2 values; the model has 3/,
      { row: 0 },
    ],
  ];

  it.each(cases)('names %s', async (_what, body, code, message, place = {}) => {
    const { status, error } = await post(body);
    expect(status).toBe(400);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string, ...place });
    // The same from a replica's thread, which larger bodies go to.
    if (body.startsWith('[{') || body.startsWith('{"d')) {
      const padded = await post(body + ' '.repeat(80_000));
      expect(padded.error).toMatchObject({ code, ...place });
    }
  });

  it('answers an empty batch with no predictions, in its own shape', async () => {
    expect(await (await fetch(serve.url!, { method: 'POST', body: '[]' })).json()).toEqual([]);
    const columns = '{"distance":[],"hour":[],"carrier":[]}';
    expect(await (await fetch(serve.url!, { method: 'POST', body: columns })).json()).toEqual({
      predictions: [],
    });
  });
});

describe('requests that do not fit', () => {
  it('refuses a body of 100 MB by its length, whether the client asks first or just sends', async () => {
    const big = new Uint8Array(100 * 1024 * 1024);
    const { status, error } = await post(big);
    expect([status, error.code]).toEqual([413, 'BODY_TOO_LARGE']);
    const asked = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(serve.url!, {
        method: 'POST',
        headers: { 'content-length': big.byteLength, expect: '100-continue' },
      });
      request.on(
        'response',
        (response) => (resolve(response.statusCode!), response.resume(), request.destroy()),
      );
      request.on('continue', () => reject(new Error('was told to go on')));
      request.on('error', reject);
      request.flushHeaders();
    });
    expect(asked).toBe(413);
    await expectAlive();
  });

  it('refuses a body of 100 MB that does not tell its length, keeping no more than it accepts', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let sent = 0;
    const stream = new ReadableStream({
      pull(controller) {
        sent += 1;
        if (sent > 400) controller.close();
        else controller.enqueue(new Uint8Array(256 * 1024));
      },
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    const response = await fetch(serve.url!, init);
    expect(response.status).toBe(413);
    await response.body?.cancel();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    await expectAlive();
  });

  it('answers a client that never ends its head, and closes', async () => {
    expect(await raw('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')).toMatch(
      /^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s,
    );
    await expectAlive();
  });

  it('answers a client that never ends its body, and closes', async () => {
    const answer = await raw('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n[{"dist');
    expect(answer).toMatch(/^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s);
    await expectAlive();
  });

  it('answers what is not HTTP with an error', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*BAD_REQUEST/s);
    expect(await raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    await expectAlive();
  });

  it('survives clients that drop in the middle of a request', async () => {
    for (let i = 0; i < 20; i++) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50\r\n\r\n[{"dist', () => {
            socket.resetAndDestroy();
            resolve();
          });
        });
        socket.on('error', () => undefined);
      });
    }
    await expectAlive();
    expect(serve.status().applications['default']!.deployments[0]).toMatchObject({ ongoing: 0, queued: 0 });
  });

  it('knows no other paths, models or methods, and says what there is', async () => {
    expect(await post('[]', '/nowhere')).toMatchObject({
      status: 404,
      error: { message: expect.stringContaining('applications are at /') as string },
    });
    const get = await fetch(serve.url!);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const unknown = await fetch(`${serve.url}/v2/models/other/infer`, { method: 'POST', body: '{}' });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({
      error: expect.stringContaining('there are: default (version 1)') as string,
    });
    expect((await fetch(`${serve.url}/v2/models/default/versions/9`)).status).toBe(404);
    expect((await fetch(`${serve.url}/-/nothing`)).status).toBe(404);
  });

  it.each([
    ['an image of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, 403],
    [
      'a frame of another port of this machine',
      { 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    ['a link that is followed', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 200],
    ['an address that is typed', { 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' }, 200],
    ['its own page', { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'image' }, 200],
  ])('takes a GET without an Origin for what the browser says that it is: %s', async (_, headers, status) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const { host } = new URL(serve.url!);
    const answer = await raw(
      `GET /-/healthz HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}Connection: close\r\n\r\n`,
    );
    expect(Number(answer.slice(9, 12))).toBe(status);
  });

  it('refuses pages of other origins, and names that are not its own', async () => {
    const foreign = await fetch(serve.url!, {
      method: 'POST',
      body: '[]',
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    expect(await raw('GET /-/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1.1 403 /,
    );
  });
});

describe('a corrupt checkpoint', () => {
  it('is refused before anything changes, and the application that was there goes on', async () => {
    const folder = path.dirname(models.late.checkpoint.modelPath);
    const file = path.join(folder, 'corrupt.json');
    for (const text of ['', '{"learner": {', '{"learner": {"gradient_booster": {"name": "gblinear"}}}']) {
      writeFileSync(file, text);
      const run = serve.run(deployment(new Checkpoint(file)));
      await expect(run).rejects.toMatchObject({
        code: expect.stringMatching(/^MODEL_(MALFORMED|UNSUPPORTED)$/) as string,
      });
    }
    await expectAlive();
  });

  it('leaves nothing listening when it is the first', async () => {
    const file = path.join(path.dirname(models.late.checkpoint.modelPath), 'corrupt2.json');
    writeFileSync(file, '{}');
    const other = new Serve();
    await expect(other.run(deployment(new Checkpoint(file)), { port: 0 })).rejects.toMatchObject({
      code: 'MODEL_MALFORMED',
    });
    expect(other.url).toBeUndefined();
  });
});

it('nothing of all this reached the log as a failure of the server', () => {
  expect(logged).toEqual([]);
});
