import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { AccessEntry } from '../../../coordinator/serve/http/serveExchange.ts';
import type { ServeRequest } from '../../../shared/serve/serveRequest.ts';
import { flights, makeServedModels, type ServedModels } from './servedModels.ts';

let models: ServedModels;
beforeAll(() => void (models = makeServedModels()));
afterAll(() => models.remove());

let serve = new Serve();
afterEach(async () => {
  await serve.shutdown();
  serve = new Serve();
});

const row = { distance: 900, hour: 17, carrier: 'AA' };
const small = JSON.stringify([row]);
/** Large enough to go to a replica's thread. */
const large = JSON.stringify(flights(600));

describe('rolling updates', () => {
  it('replace model and replicas without a failed or mixed answer', async () => {
    const expected = [models.late, models.later].map(({ checkpoint }) =>
      expectedOf(checkpoint.toPredictor()),
    );
    const versions = [models.late, models.later, models.late].map(({ checkpoint }, i) =>
      deployment(checkpoint, { version: String(i + 1), numReplicas: 2 }),
    );
    await serve.run(versions[0]!, { port: 0 });
    const over = new AbortController();
    const answers: number[][] = [];
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const response = await fetch(serve.url!, { method: 'POST', body: large });
        expect(response.status).toBe(200);
        answers.push(
          ((await response.json()) as { predictions: number }[]).map(({ predictions }) => predictions),
        );
      }
    };
    const callers = Promise.all(Array.from({ length: 8 }, caller));
    await serve.run(versions[1]!);
    await serve.run(versions[2]!);
    over.abort();
    await callers;
    expect(answers.length).toBeGreaterThan(8);
    for (const answer of answers) expect(expected).toContainEqual(answer);
    const metadata = (await (await fetch(`${serve.url}/v2/models/default`)).json()) as { versions: string[] };
    expect(metadata.versions).toEqual(['3']);
    expect(serve.status().applications['default']!.deployments[0]).toMatchObject({
      status: 'running',
      replicas: { starting: 0, running: 2 },
      restarts: 0,
    });
  });

  function expectedOf(predictor: ReturnType<(typeof models.late.checkpoint)['toPredictor']>): number[] {
    const rows = flights(600);
    const carriers = ['AA', 'DL', 'UA', 'WN'];
    const columns = [
      rows.map(({ distance }) => distance ?? NaN),
      rows.map(({ hour }) => hour ?? NaN),
      rows.map(({ carrier }) => (carrier === null ? NaN : carriers.indexOf(carrier))),
    ].map((column) => Float32Array.from(column));
    return [...predictor.predict(columns, rows.length)];
  }

  it('keep replicas when the version is the same, and change their number', async () => {
    await serve.run(deployment(models.late.checkpoint, { version: 'a' }), { port: 0 });
    await serve.run(deployment(models.late.checkpoint, { version: 'a', numReplicas: 3 }));
    expect(serve.status().applications['default']!.deployments[0]!.replicas.running).toBe(3);
    await serve.run(deployment(models.late.checkpoint, { version: 'a', numReplicas: 1 }));
    expect(serve.status().applications['default']!.deployments[0]).toMatchObject({
      target: 1,
      replicas: { running: 1 },
    });
  });

  it('that fail leave the old version serving', async () => {
    class Service {
      readonly answer: string;
      constructor(answer: string) {
        if (answer === 'bad') throw new Error('bad answer');
        this.answer = answer;
      }
      call(): string {
        return this.answer;
      }
    }
    const service = deployment(Service, { numReplicas: 3 });
    await serve.run(service.bind('old'), { port: 0 });
    await expect(serve.run(service.bind('bad'))).rejects.toThrow(/bad answer/);
    expect(await (await fetch(serve.url!)).text()).toBe('old');
    await serve.run(service.bind('new'));
    expect(await (await fetch(serve.url!)).text()).toBe('new');
    expect(serve.status().applications['default']!.deployments[0]!.replicas.running).toBe(3);
  });
});

describe('several applications', () => {
  it('share a port, by path, by model and by version', async () => {
    await serve.run(deployment(models.late.checkpoint, { version: '1' }), {
      name: 'late-1',
      modelName: 'late',
      routePrefix: '/late/1',
      port: 0,
    });
    await serve.run(deployment(models.later.checkpoint, { version: '2' }), {
      name: 'late-2',
      modelName: 'late',
      routePrefix: '/late/2',
    });
    await serve.run(deployment(models.classes.checkpoint), { name: 'classes' });
    expect(await (await fetch(`${serve.url}/-/routes`)).json()).toEqual({
      '/late/1': 'late-1',
      '/late/2': 'late-2',
      '/': 'classes',
    });
    const ask = async (place: string, body = small): Promise<unknown> =>
      (await fetch(serve.url + place, { method: 'POST', body })).json();
    const [one, two] = [await ask('/late/1'), await ask('/late/2')];
    expect(one).not.toEqual(two);
    expect(await ask('/', '{"x":1,"y":2}')).toHaveProperty('predictions_2');
    const metadata = (await (await fetch(`${serve.url}/v2/models/late`)).json()) as object;
    expect(metadata).toMatchObject({ versions: ['1', '2'] });
    const infer = JSON.stringify({
      inputs: [{ name: 'm', shape: [1, 3], datatype: 'FP32', data: [900, 17, 0] }],
    });
    const inferred = (place: string): Promise<unknown> => ask(`/v2/models/late${place}/infer`, infer);
    const value = (records: unknown): number => (records as { predictions: number }[])[0]!.predictions;
    expect(await inferred('/versions/1')).toMatchObject({
      model_version: '1',
      outputs: [{ data: [value(one)] }],
    });
    expect(await inferred('')).toMatchObject({ model_version: '2', outputs: [{ data: [value(two)] }] });
    await serve.delete('late-2');
    expect(await inferred('')).toMatchObject({ model_version: '1' });
    expect((await fetch(`${serve.url}/late/2`, { method: 'POST', body: small })).status).toBe(404);
  });

  it('can not take the same path, a reserved one, or another port', async () => {
    await serve.run(deployment(models.late.checkpoint), { port: 0 });
    const again = deployment(models.later.checkpoint);
    await expect(serve.run(again, { name: 'other' })).rejects.toThrow(/"default" has the route prefix "\/"/);
    await expect(serve.run(again, { name: 'other', routePrefix: '/v2/x' })).rejects.toThrow(
      /other than \/v2/,
    );
    await expect(serve.run(again, { name: 'other', routePrefix: 'x' })).rejects.toThrow(/must be a path/);
    await expect(serve.run(again, { port: 1 })).rejects.toThrow(/listens at .*"port" can not change/);
    await expect(serve.run(again, { name: 'a b' })).rejects.toThrow(/^name is "a b"; expected letters/);
    await expect(serve.delete('other')).rejects.toThrow(/No application "other"/);
    const { port } = new URL(serve.url!);
    await expect(new Serve().run(again, { port: Number(port) })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
  });
});

describe('load', () => {
  class Gate {
    static open: (() => void)[] = [];
    static withdrawn = 0;
    call(_request: ServeRequest, signal: AbortSignal): Promise<string> {
      signal.addEventListener('abort', () => (Gate.withdrawn += 1));
      return new Promise((resolve) => Gate.open.push(() => resolve('done')));
    }
  }
  const arrivals = async (count: number): Promise<void> => {
    while (Gate.open.length < count) await new Promise((resolve) => setImmediate(resolve));
  };

  it('beyond maxQueuedRequests is answered 429 with Retry-After', async () => {
    Gate.open = [];
    await serve.run(deployment(Gate, { maxOngoingRequests: 2, maxQueuedRequests: 1 }), { port: 0 });
    const first = [fetch(serve.url!), fetch(serve.url!), fetch(serve.url!)];
    await arrivals(2);
    while (serve.status().applications['default']!.deployments[0]!.queued < 1)
      await new Promise((resolve) => setImmediate(resolve));
    const refused = await fetch(serve.url!);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ error: { code: 'SERVE_OVERLOADED' } });
    for (const open of Gate.open.splice(0)) open();
    await arrivals(1);
    Gate.open[0]!();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('of clients that went away is withdrawn, in hand and in line', async () => {
    Gate.open = [];
    Gate.withdrawn = 0;
    await serve.run(deployment(Gate, { maxOngoingRequests: 1 }), { port: 0 });
    const gone = new AbortController();
    const calls = [0, 1].map(() => fetch(serve.url!, { signal: gone.signal }).catch(() => 'aborted'));
    await arrivals(1);
    while (serve.status().applications['default']!.deployments[0]!.queued < 1)
      await new Promise((resolve) => setImmediate(resolve));
    gone.abort();
    expect(await Promise.all(calls)).toEqual(['aborted', 'aborted']);
    while (Gate.withdrawn < 1) await new Promise((resolve) => setImmediate(resolve));
    expect(serve.status().applications['default']!.deployments[0]!.queued).toBe(0);
    Gate.open[0]!();
  });

  it('in hand is answered before shutdown, and nothing more is taken', async () => {
    Gate.open = [];
    await serve.run(deployment(Gate), { port: 0 });
    const { url } = serve;
    const inHand = fetch(url!);
    await arrivals(1);
    const closed = serve.shutdown();
    await expect(fetch(url!)).rejects.toThrow();
    Gate.open[0]!();
    expect(await (await inHand).text()).toBe('done');
    await closed;
  });

  it('that does not end is cut off after gracefulShutdownTimeoutS', async () => {
    Gate.open = [];
    await serve.run(deployment(Gate, { gracefulShutdownTimeoutS: 0.1 }), { port: 0 });
    const inHand = fetch(serve.url!);
    await arrivals(1);
    await serve.shutdown();
    const { status } = await inHand;
    expect(status).toBe(503);
  });
});

describe('the server', () => {
  it('asks for the API key where one is set, except for health', async () => {
    await serve.run(deployment(models.late.checkpoint), { port: 0, apiKey: 'k-123' });
    const ask = async (headers: Record<string, string>, place = '/'): Promise<number> =>
      (
        await fetch(serve.url + place, {
          method: place === '/' ? 'POST' : 'GET',
          body: place === '/' ? small : null,
          headers,
        })
      ).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: 'Bearer k-124' })).toBe(401);
    expect(await ask({ authorization: 'Bearer k-123' })).toBe(200);
    expect(await ask({ 'x-api-key': 'k-123' })).toBe(200);
    for (const place of ['/metrics', '/openapi.json', '/-/routes', '/v2/models/default'])
      expect(await ask({}, place)).toBe(401);
    for (const place of ['/-/healthz', '/v2/health/live', '/v2/health/ready'])
      expect(await ask({}, place)).toBe(200);
  });

  it('slows down who guesses the API key, writes down who does, and answers those who have it', async () => {
    const log: string[] = [];
    serve = new Serve({ log: ({ level, message }) => void log.push(`${level} ${message}`) });
    const apiKey = 'a-key-that-nobody-guesses';
    await serve.run(deployment(models.late.checkpoint), { port: 0, apiKey });
    const ask = (key: string): Promise<Response> =>
      fetch(`${serve.url}?key=secret`, { method: 'POST', body: small, headers: { 'x-api-key': key } });
    const statuses: number[] = [];
    for (let nth = 0; nth < 12; nth++) statuses.push((await ask(`guess-${nth}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const refused = await ask('guess');
    expect(Number(refused.headers.get('retry-after'))).toBe(1);
    expect(await refused.json()).toMatchObject({ error: { code: 'TOO_MANY_ATTEMPTS' } });
    expect((await ask(apiKey)).status).toBe(200);
    expect(log.filter((line) => line.startsWith('warn'))).toHaveLength(13);
    expect(log.find((line) => line.startsWith('warn'))).toBe(
      'warn Refused serve: POST / of 127.0.0.1: The API key is wrong: send "Authorization: Bearer KEY" or "X-API-Key: KEY".',
    );
    expect(log.join()).not.toMatch(/guess-|key=secret/);
  });

  it('lets pages of allowed origins ask, and tells browsers so', async () => {
    await serve.run(deployment(models.late.checkpoint), { port: 0, allowedOrigins: ['https://app.example'] });
    const origin = { origin: 'https://app.example' };
    const preflight = await fetch(serve.url!, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/content-encoding/);
    const answer = await fetch(serve.url!, { method: 'POST', body: small, headers: origin });
    expect([
      answer.status,
      ...['access-control-allow-origin', 'vary', 'access-control-allow-credentials'].map((name) =>
        answer.headers.get(name),
      ),
    ]).toEqual([200, 'https://app.example', 'Origin', null]);
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/x-request-id/);
    for (const method of ['POST', 'OPTIONS']) {
      const other = await fetch(serve.url!, {
        method,
        headers: { origin: 'https://app.example.evil', 'access-control-request-method': 'POST' },
      });
      expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
    expect((await fetch(`${serve.url}/-/healthz`)).headers.get('vary')).toBe('Origin');
  });

  it('lets any page ask with "*", never with credentials; other words are no origins', async () => {
    const wrong = (allowedOrigins: string[]): Promise<unknown> =>
      serve.run(deployment(models.late.checkpoint), { port: 0, allowedOrigins });
    for (const origin of ['https://app.example/', 'app.example', 'https://*.example', 'null', '']) {
      await expect(wrong([origin])).rejects.toMatchObject({
        code: 'SERVE_ARGUMENT',
        place: { field: 'allowedOrigins[0]' },
      });
    }
    await serve.run(deployment(models.late.checkpoint), { port: 0, allowedOrigins: ['*'] });
    const headers = { origin: 'https://any.example' };
    const answer = await fetch(serve.url!, { method: 'POST', body: small, headers });
    expect([
      answer.status,
      answer.headers.get('access-control-allow-origin'),
      answer.headers.get('access-control-allow-credentials'),
    ]).toEqual([200, '*', null]);
  });

  it('describes itself, counts for Prometheus and logs accesses where asked', async () => {
    const entries: AccessEntry[] = [];
    await serve.run(deployment(models.late.checkpoint), {
      port: 0,
      accessLog: (entry) => void entries.push(entry),
    });
    for (const body of [small, large, '[']) await (await fetch(serve.url!, { method: 'POST', body })).text();
    const metrics = await (await fetch(`${serve.url}/metrics`)).text();
    expect(metrics).toContain('tabgrad_serve_http_requests_total{application="default",status="200"} 2\n');
    expect(metrics).toContain('tabgrad_serve_http_requests_total{application="default",status="400"} 1\n');
    expect(metrics).toContain('tabgrad_serve_replicas{application="default",deployment="Model"} 1\n');
    expect(metrics).toContain('tabgrad_serve_http_request_seconds_count{application="default"} 3\n');
    expect(
      entries.slice(0, 3).map(({ status, method, path, application }) => [status, method, path, application]),
    ).toEqual([
      [200, 'POST', '/', 'default'],
      [200, 'POST', '/', 'default'],
      [400, 'POST', '/', 'default'],
    ]);
    expect(new Set(entries.map(({ requestId }) => requestId)).size).toBe(entries.length);
    const api = (await (await fetch(`${serve.url}/openapi.json`)).json()) as {
      paths: Record<
        string,
        {
          post: {
            requestBody: { content: { 'application/json': { schema: { oneOf: { properties: object }[] } } } };
          };
        }
      >;
    };
    const [, one] = api.paths['/']!.post.requestBody.content['application/json'].schema.oneOf;
    expect(Object.keys(one!.properties)).toEqual(['distance', 'hour', 'carrier']);
  });

  it('is ready when all applications are', async () => {
    await serve.run(deployment(models.late.checkpoint), { port: 0 });
    expect(await (await fetch(`${serve.url}/-/healthz`)).text()).toBe('success');
    expect(await (await fetch(`${serve.url}/v2/health/ready`)).json()).toEqual({ ready: true });
    expect(await (await fetch(`${serve.url}/v2/models/default/ready`)).json()).toEqual({
      name: 'default',
      ready: true,
    });
    expect(await (await fetch(`${serve.url}/v2`)).json()).toMatchObject({
      name: 'tabgrad',
      extensions: ['binary_tensor_data'],
    });
  });
});

it('after shutdown nothing is left: no threads, sockets or timers', async () => {
  const counted = (): number =>
    process.getActiveResourcesInfo().filter((name) => /MessagePort|TCPServer|Timeout/.test(name)).length;
  const before = counted();
  for (let round = 0; round < 3; round++) {
    await serve.run(deployment(models.late.checkpoint, { numReplicas: 2 }), { port: 0 });
    await (await fetch(serve.url!, { method: 'POST', body: large })).text();
    await serve.shutdown();
  }
  expect(serve.status()).toEqual({ url: undefined, applications: {} });
  expect(counted()).toBeLessThanOrEqual(before);
});
