import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as ask } from 'node:http';
import { request as askSecurely } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import type { AccessEntry } from '../../../../coordinator/serve/http/serveExchange.ts';
import type { RunOptions } from '../../../../coordinator/serve/serveOptions.ts';
import type { ServeRequest } from '../../../../shared/serve/serveRequest.ts';
import { flights, makeServedModels, type ServedModels } from '../servedModels.ts';

const PROCESSES = 2;
let models: ServedModels;
const open: Serve[] = [];
const logged: string[] = [];

beforeAll(() => void (models = makeServedModels()));
afterEach(async () => {
  await Promise.all(open.splice(0).map((serve) => serve.shutdown()));
  logged.length = 0;
});
afterAll(() => models.remove());

async function started(options: RunOptions = {}): Promise<Serve> {
  const serve = new Serve({ log: ({ message }) => void logged.push(message) });
  open.push(serve);
  await serve.run(deployment(models.late.checkpoint), { port: 0, processes: PROCESSES, ...options });
  return serve;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** One request on a connection of its own, so that they come to all acceptors in turn; or on that of `agent`. */
function post(
  address: string,
  body: string,
  headers: Record<string, string> = {},
  agent: Agent | false = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = ask(address, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const row = JSON.stringify([{ distance: 900, hour: 17, carrier: 'AA' }]);

async function requestsCounted(serve: Serve): Promise<Record<string, number>> {
  const text = await (await fetch(`${serve.url}/metrics`)).text();
  const lines = text.matchAll(/requests_total\{application="default",status="(\d+)"\} (\d+)/g);
  return Object.fromEntries([...lines].map(([, status, count]) => [status, Number(count)]));
}

/** Processes that take connections for servers of this process. */
function acceptorPids(): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args=']).toString().split('\n');
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s.*acceptor\.js/.exec(line))
    .filter((found) => Number(found?.[2]) === process.pid)
    .map((found) => Number(found![1]));
}

describe('several processes behind one port', () => {
  it('answer as one does: rows of all shapes and sizes, other paths, and what is wrong', async () => {
    const [one, several] = [await started({ processes: 1 }), await started()];
    const rows = flights(300);
    const columns = { distance: [1, 2], hour: [3, null], carrier: ['AA', 'nowhere'] };
    const infer = { inputs: [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [1, 2, 0] }] };
    const requests: readonly (readonly [string, string, Record<string, string>?])[] = [
      ['/', row],
      ['', JSON.stringify(rows.slice(0, 20))],
      ['/', JSON.stringify([...rows, ...rows, ...rows])],
      ['/?a=1', JSON.stringify(columns)],
      ['/', JSON.stringify(row)],
      ['/', '[]'],
      ['/', '[{"distance":"far","hour":1,"carrier":null}]'],
      ['/', '[{"hour":1,"carrier":null}]'],
      ['/', 'no JSON'],
      ['/', ''],
      ['/', row, { 'content-type': 'application/json; charset=latin1' }],
      ['/', row, { host: 'example.org' }],
      ['/', row, { origin: 'https://example.org' }],
      ['/', row, { 'sec-fetch-site': 'cross-site' }],
      ['/', row, { 'content-encoding': 'zip' }],
      ['/', row, { expect: '100-continue' }],
      ['/', row, { 'tabgrad-caller': 'me' }],
      ['/other', row],
      ['/v1/models/default:predict', `{"instances":${row}}`],
      ['/v2/models/default/infer', JSON.stringify(infer)],
      ['/v2/models/none/infer', '{}'],
      ['/-/healthz', ''],
    ];
    for (const [path, body, headers] of requests) {
      const answers = await Promise.all(
        [one, several, several].map(async (serve) => {
          const { status, text, headers: given } = await post(serve.url + path, body, headers);
          const { date: _, 'x-request-id': __, 'keep-alive': ___, ...rest } = given;
          return {
            status,
            rest: { ...rest, 'content-length': '' },
            text: text.replace(/"requestId":"[^"]*"/, ''),
          };
        }),
      );
      expect(answers[1], `${path} ${body.slice(0, 40)}`).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    }
  });

  it('count and log all that is answered, with who asked', async () => {
    const entries: AccessEntry[] = [];
    const serve = await started({ accessLog: (entry) => void entries.push(entry) });
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(serve.url!, row)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await post(serve.url!, '[1]')).status).toBe(400);
    expect((await post(serve.url!, JSON.stringify(flights(900)))).status).toBe(200);
    expect(await requestsCounted(serve)).toEqual({ 200: 13, 400: 1 });
    const predictions = entries.filter(({ application }) => application === 'default');
    const refused = predictions.filter(({ status }) => status === 400);
    expect([predictions.length, refused.length]).toEqual([14, 1]);
    expect(new Set(entries.map(({ remoteAddress }) => remoteAddress))).toEqual(new Set(['127.0.0.1']));
    // Ids begin in another way in each process. How soon an acceptor finds rows small depends on the machine.
    const answerers = new Set<string>();
    const answererOf = async (body: string): Promise<void> => {
      const { headers } = await post(serve.url!, body);
      answerers.add(String(headers['x-request-id']).split('-')[0]!);
    };
    await answererOf('[1]');
    while (answerers.size < PROCESSES + 1) await answererOf(row);
  });

  it('count wrong keys together, and take the right one', async () => {
    const apiKey = 'a key that can not be guessed';
    const serve = await started({ apiKey });
    expect((await post(serve.url!, row, { authorization: `Bearer ${apiKey}` })).status).toBe(200);
    expect((await post(serve.url!, row)).status).toBe(401);
    const wrong: number[] = [];
    for (let i = 0; i < 14; i++) wrong.push((await post(serve.url!, row, { 'x-api-key': 'wrong' })).status);
    expect(wrong.slice(0, 9)).toEqual(Array(9).fill(401));
    expect(wrong.slice(-3)).toEqual([429, 429, 429]);
    expect((await post(serve.url!, row, { 'x-api-key': apiKey })).status).toBe(200);
  });

  it('all answer for the new model as soon as it runs, and for none that was deleted', async () => {
    const serve = await started();
    const answers = async (): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: 6 }, async () => (await post(serve.url!, row)).text)));
    const before = await answers();
    await serve.run(deployment(models.later.checkpoint));
    const after = await answers();
    expect([before.size, after.size]).toEqual([1, 1]);
    expect(after).not.toEqual(before);
    await serve.delete();
    expect((await post(serve.url!, row)).status).toBe(404);
    expect(await requestsCounted(serve)).toEqual({});
  });

  it('go on when one is killed, which is replaced', async () => {
    const serve = await started();
    const pids = acceptorPids();
    expect(pids).toHaveLength(PROCESSES);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    const isTold = (): boolean => logged.filter((line) => line.includes('SIGKILL')).length === PROCESSES;
    while (!isTold()) await new Promise((resolve) => setImmediate(resolve));
    // A connection that comes meanwhile waits for the first new one.
    expect((await post(serve.url!, row)).status).toBe(200);
    expect(acceptorPids().filter((pid) => pids.includes(pid))).toEqual([]);
  });

  it('answer what is in hand when the server stops, and 503 on connections that are kept', async () => {
    const serve = await started();
    let release = (): void => undefined;
    let begun = (): void => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    class Slow {
      async call(): Promise<string> {
        begun();
        await new Promise<void>((resolve) => (release = resolve));
        return 'done';
      }
    }
    await serve.run(deployment(Slow), { name: 'slow', routePrefix: '/slow' });
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await post(serve.url!, row, {}, kept)).status).toBe(200);
    const slow = post(`${serve.url}/slow`, '');
    await isBegun;
    const address = serve.url!;
    const stopped = serve.shutdown();
    // What was read before the acceptor was told to stop may still be answered.
    const late = await post(address, row, {}, kept);
    expect([200, 503]).toContain(late.status);
    expect(late.headers['connection']).toBe('close');
    release();
    expect(await slow).toMatchObject({ status: 200, text: 'done' });
    await stopped;
    kept.destroy();
    await expect(post(address, row)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(acceptorPids()).toEqual([]);
  });

  it('pass on answers in pieces as they come, and tell when the caller goes', async () => {
    const serve = await started();
    let isAborted = (): void => undefined;
    const aborted = new Promise<void>((resolve) => (isAborted = resolve));
    class Teller {
      async *call(request: ServeRequest, signal: AbortSignal): AsyncGenerator<string> {
        signal.addEventListener('abort', () => isAborted());
        yield request.text();
        if (request.query.get('wait') === null) return;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      }
    }
    await serve.run(deployment(Teller), { name: 'teller', routePrefix: '/teller' });
    expect((await post(`${serve.url}/teller`, 'word')).text).toBe('word');
    const asked = ask(`${serve.url}/teller?wait`, { method: 'POST', agent: false });
    asked.end('first');
    const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    expect(String((await once(response, 'data'))[0])).toBe('first');
    asked.on('error', () => undefined).destroy();
    await aborted;
  });

  it('speak https', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tabgrad-acceptors-'));
    const serve = await started({ tls: { selfMadeIn: folder } });
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const asked = askSecurely(serve.url!, { method: 'POST', ca: serve.authority!.pem, agent: false });
        asked.end(row);
        const [response] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
        response.resume();
        return response.statusCode;
      }),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    rmSync(folder, { recursive: true });
  });

  it('are refused where they have no effect, and where the port is taken', async () => {
    const serve = new Serve({ log: () => undefined });
    open.push(serve);
    class Own {
      call(): string {
        return '';
      }
    }
    const noEffect = { code: 'SERVE_ARGUMENT', place: { field: 'processes' } };
    await expect(serve.run(deployment(Own), { port: 0, processes: 2 })).rejects.toMatchObject(noEffect);
    const model = deployment(models.late.checkpoint);
    await expect(serve.run(model, { port: 0, processes: 2, apiKey: 'short' })).rejects.toMatchObject(
      noEffect,
    );
    await expect(serve.run(model, { processes: 0 })).rejects.toMatchObject(noEffect);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(serve.run(model, { port, processes: 2 })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    other.close();
    expect(acceptorPids()).toEqual([]);
    // The server listens once; its other applications may be of any kind.
    await serve.run(model, { port: 0, processes: 2 });
    await serve.run(deployment(Own), { name: 'own', routePrefix: '/own' });
    await expect(serve.run(model, { processes: 3 })).rejects.toMatchObject(noEffect);
  });
});
