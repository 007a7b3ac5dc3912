import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { DeploymentHandle } from '../../../coordinator/serve/replica/handle.ts';
import type { DeploymentOptions } from '../../../coordinator/core/store/deploymentSettings.ts';
import { WINDOW } from '../../../coordinator/serve/stream/answerStream.ts';
import { Relay, Teller } from './fixtures/services.ts';

const logged: string[] = [];
const newServe = (): Serve =>
  new Serve({ log: ({ level, message }) => void (level === 'error' && logged.push(message)) });
let serve = newServe();
afterEach(async () => {
  await serve.shutdown();
  serve = newServe();
  logged.length = 0;
});

const module = new URL('./fixtures/services.ts', import.meta.url);
const places = {
  'in a thread': (name: 'Teller' | 'Relay', options?: DeploymentOptions) =>
    deployment({ module, export: name }, options),
  'in the process': (name: 'Teller' | 'Relay', options?: DeploymentOptions) =>
    deployment(name === 'Teller' ? Teller : Relay, options),
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function counts(handle: DeploymentHandle): Promise<{ made: number; stopped: number }> {
  return (await handle.method('counts').remote()) as { made: number; stopped: number };
}

/** Resolves when no more pieces were made for a while of asking. */
async function standstill(handle: DeploymentHandle): Promise<number> {
  for (let made = -1, same = 0; ;) {
    const now = await counts(handle);
    same = now.made === made ? same + 1 : 0;
    if (same === 50) return made;
    made = now.made;
    await turn();
  }
}

async function stopped(handle: DeploymentHandle): Promise<void> {
  while ((await counts(handle)).stopped === 0) await turn();
}

function open(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => void get(serve.url + path, resolve).on('error', reject));
}

describe.each(Object.entries(places))('answers in pieces, made %s', (_place, bind) => {
  it('come as text, bytes or lines of JSON, as their first piece is', async () => {
    await serve.run(bind('Teller'), { port: 0 });
    const asked = async (path: string): Promise<readonly unknown[]> => {
      const response = await fetch(serve.url + path);
      const { status, headers } = response;
      return [
        status,
        headers.get('content-type'),
        Buffer.from(await response.arrayBuffer()).toString('latin1'),
      ];
    };
    expect(await asked('/words')).toEqual([200, 'text/plain; charset=utf-8', 'one two\nthree']);
    expect(await asked('/bytes')).toEqual([200, 'application/octet-stream', '\u0000\u00ff\u0001']);
    expect(await asked('/own')).toEqual([201, 'text/csv', 'a,b\n1,2\n']);
    expect(await asked('/nothing')).toEqual([200, 'text/plain; charset=utf-8', '']);
    const [status, type, text] = await asked('/values?count=100');
    expect([status, type]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = (text as string).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      Array.from({ length: 100 }, (_, n) => ({ n })),
    );
  });

  it('come as server-sent events where the caller accepts them', async () => {
    await serve.run(bind('Teller'), { port: 0 });
    const events = async (path: string): Promise<readonly unknown[]> => {
      const response = await fetch(serve.url + path, { headers: { accept: 'text/event-stream' } });
      return [response.headers.get('content-type'), await response.text()];
    };
    const type = 'text/event-stream; charset=utf-8';
    expect(await events('/words')).toEqual([type, 'data: one \n\ndata: two\ndata: \n\ndata: three\n\n']);
    expect(await events('/values?count=2')).toEqual([type, 'data: {"n":0}\n\ndata: {"n":1}\n\n']);
    expect(await events('/own')).toEqual(['text/csv', 'a,b\n1,2\n']);
    const [, failed] = await events('/fails-later');
    expect(failed).toMatch(
      /^data: 0 \n\ndata: 1 \n\nevent: error\ndata: {"error":{"code":"SERVE_CODE_FAILED","message":".*out of ink"},"requestId":".+"}\n\n$/,
    );
  });

  it('that fail before the first piece have a status, and are broken off later', async () => {
    await serve.run(bind('Teller'), { port: 0 });
    const first = await fetch(`${serve.url}/fails-first`);
    expect([first.status, await first.json()]).toMatchObject([418, { error: { code: 'SERVE_CODE_FAILED' } }]);
    const later = await fetch(`${serve.url}/fails-later`);
    expect(later.status).toBe(200);
    await expect(later.text()).rejects.toThrow();
    const metrics = await (await fetch(`${serve.url}/metrics`)).text();
    expect(metrics).toContain('tabgrad_serve_http_requests_total{application="default",status="418"} 2\n');
  });

  it('are made no faster than a handle takes them, and no further than it goes', async () => {
    const handle = await serve.run(bind('Teller'), { port: 0 });
    const taken: unknown[] = [];
    for await (const piece of handle.method('numbers').stream(1_000)) {
      taken.push(piece);
      if (taken.length < 3) continue;
      expect(await standstill(handle)).toBeLessThanOrEqual(3 + WINDOW);
      break;
    }
    expect(taken).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    await stopped(handle);
    const all = [];
    for await (const piece of handle.method('numbers').stream(100)) all.push(piece);
    expect(all).toHaveLength(100);
    await expect(handle.method('counts').stream()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
      message: expect.stringMatching(/"counts".*does not answer in pieces/) as string,
    });
  });

  it('are made no faster than an HTTP caller reads, and end when it goes away', async () => {
    const handle = await serve.run(bind('Teller'), { port: 0 });
    const response = await open('/blocks');
    // What the sockets hold, and not more: without back-pressure this would have no end.
    await standstill(handle);
    expect(serve.status().applications['default']!.deployments[0]!.ongoing).toBe(1);
    response.destroy();
    await stopped(handle);
    while (serve.status().applications['default']!.deployments[0]!.ongoing > 0) await turn();
  });

  it('end through their signal when the caller goes away while the next piece is not there', async () => {
    const handle = await serve.run(bind('Teller'), { port: 0 });
    const response = await open('/waits');
    await new Promise((resolve) => response.once('data', resolve));
    response.destroy();
    await stopped(handle);
  });

  it('pass through deployments that are composed', async () => {
    const teller = bind('Teller').bind();
    await serve.run(bind('Relay').bind(teller), { port: 0 });
    const lines = (await (await fetch(`${serve.url}/?count=50`)).text()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      Array.from({ length: 50 }, (_, n) => ({ n })),
    );
    expect(await (await fetch(`${serve.url}/doubled?count=4`)).text()).toBe('0246');
    const response = await open('/?count=1000000000');
    await new Promise((resolve) => response.once('data', resolve));
    response.destroy();
    const ongoing = (): number =>
      serve.status().applications['default']!.deployments.reduce((sum, { ongoing }) => sum + ongoing, 0);
    while (ongoing() > 0) await turn();
  });

  it('have a deadline from one piece to the next', async () => {
    await serve.run(bind('Teller', { requestTimeoutS: 0.2 }), { port: 0 });
    const response = await fetch(`${serve.url}/waits`, { headers: { accept: 'text/event-stream' } });
    expect(await response.text()).toMatch(
      /^data: first\n\nevent: error\ndata: {"error":{"code":"DEADLINE_EXCEEDED"/,
    );
    expect(serve.status().applications['default']!.deployments[0]!.counts.timeouts).toBe(1);
  });
});

it('an answer in pieces whose replica dies is broken off, and the replica replaced', async () => {
  await serve.run(places['in a thread']('Teller'), { port: 0 });
  const response = await fetch(`${serve.url}/dies`, { headers: { accept: 'text/event-stream' } });
  expect(await response.text()).toMatch(
    /^data: last words\n\nevent: error\ndata: {"error":{"code":"SERVE_REPLICA_LOST"/,
  );
  expect(await (await fetch(`${serve.url}/words`)).text()).toBe('one two\nthree');
});

it('shutting down lets a slow caller read what was answered to the end', async () => {
  class Large {
    call(): Uint8Array {
      return new Uint8Array(20 * 1024 * 1024);
    }
  }
  await serve.run(deployment(Large), { port: 0 });
  const response = await open('/');
  while (serve.status().applications['default']!.deployments[0]!.ongoing > 0) await turn();
  const closed = serve.shutdown();
  await turn();
  let sizeBytes = 0;
  for await (const chunk of response) sizeBytes += (chunk as Buffer).byteLength;
  await closed;
  expect(sizeBytes).toBe(20 * 1024 * 1024);
});
