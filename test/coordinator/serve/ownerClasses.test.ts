import { afterEach, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { DeploymentOptions } from '../../../coordinator/core/store/deploymentSettings.ts';
import type { ServeRequest } from '../../../shared/serve/serveRequest.ts';

const module = new URL('./fixtures/services.ts', import.meta.url);
const inThread = (name: string, options: DeploymentOptions = {}) =>
  deployment({ module, export: name }, options);

const logged: string[] = [];
let onLog = (): void => undefined;
const newServe = (): Serve =>
  new Serve({
    log: ({ level, message }) => {
      if (level === 'error') logged.push(message);
      onLog();
    },
  });
let serve = newServe();
afterEach(async () => {
  await serve.shutdown();
  serve = newServe();
  logged.length = 0;
});

const post = (body: string, place = '/'): Promise<Response> =>
  fetch(serve.url + place, { method: 'POST', body });

/** Resolves when replicas were replaced so many times and all run again; replicas log when they end and when they run. */
async function restarted(times: number): Promise<void> {
  const isDone = (): boolean => {
    const [status] = serve.status().applications['default']!.deployments;
    return status!.restarts >= times && status!.replicas.running === status!.target;
  };
  if (!isDone()) await new Promise<void>((resolve) => (onLog = () => isDone() && resolve()));
  onLog = () => undefined;
}

describe('a class', () => {
  it('answers HTTP and handles from a thread of its own', async () => {
    const handle = await serve.run(inThread('Adder', { numReplicas: 2 }).bind(40), {
      port: 0,
      routePrefix: '/sum',
    });
    expect(await handle.remote(2)).toBe(42);
    expect(await handle.method('half').remote(2)).toBe(21);
    const response = await fetch(`${serve.url}/sum/deep/path?x=5`, { headers: { 'x-request-id': 'mine-1' } });
    expect(await response.json()).toEqual({ sum: 45, path: '/deep/path', method: 'GET' });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    expect((await fetch(`${serve.url}/summer`)).status).toBe(404);
    await expect(handle.method('nothing').remote()).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
      message: 'Deployment "Adder" has no method "nothing".',
    });
    await expect(handle.method('constructor').remote()).rejects.toMatchObject({ code: 'SERVE_ARGUMENT' });
    await expect(handle.remote(() => 1)).rejects.toThrow(/could not be cloned/);
  });

  it('given as a value runs in the process, and may call the others that it is bound to', async () => {
    const seen: object[] = [];
    class Front {
      readonly adders: readonly { remote(x: number): Promise<unknown> }[];
      constructor(...adders: readonly { remote(x: number): Promise<unknown> }[]) {
        this.adders = adders;
      }
      async call(request: ServeRequest): Promise<unknown> {
        seen.push(request);
        return Promise.all(this.adders.map((adder) => adder.remote(Number(request.query.get('x')))));
      }
    }
    const [one, two] = [inThread('Adder').bind(1), inThread('Adder').bind(2)];
    await serve.run(deployment(Front).bind(one, two, one), { port: 0 });
    expect(await (await fetch(`${serve.url}/?x=10`)).json()).toEqual([11, 12, 11]);
    expect(seen).toHaveLength(1);
    expect(serve.status().applications['default']!.deployments.map(({ name }) => name)).toEqual([
      'Adder',
      'Adder_1',
      'Front',
    ]);
  });

  it('in a thread calls others through handles inside its arguments, and chooses status and headers', async () => {
    const adder = inThread('Adder').bind(3);
    await serve.run(inThread('Combiner').bind({ first: adder, rest: [adder] }), { port: 0 });
    const response = await post('{"x": 4}');
    expect([response.status, response.headers.get('x-made-by')]).toEqual([201, 'combiner']);
    expect(await response.json()).toEqual({ first: 7, second: 5 });
    const malformed = await post('{');
    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { error: { code: 'BAD_REQUEST' } },
    ]);
  });

  it('that throws tells the log and not the caller, unless its error has a status', async () => {
    await serve.run(inThread('Moody'), { port: 0 });
    const thrown = await post('throw');
    expect(thrown.status).toBe(500);
    const text = await thrown.text();
    expect(text).toMatch(/SERVE_CODE_FAILED.*The application failed/);
    expect(text).not.toMatch(/secret/);
    expect(logged.join('\n')).toMatch(/a secret of the owner[\s\S]*services\.ts/);
    const refused = await post('refuse');
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { error: { code: 'SERVE_CODE_FAILED', message: expect.stringContaining('too many legs') as string } },
    ]);
    for (const body of ['cycle', 'header']) expect((await post(body)).status).toBe(500);
    expect([...new Uint8Array(await (await post('bytes')).arrayBuffer())]).toEqual([1, 2, 3]);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
  });

  it('that throws in its constructor, exports nothing or can not be imported fails the run, with the reason', async () => {
    await expect(serve.run(inThread('BadConstructor'), { port: 0 })).rejects.toMatchObject({
      code: 'SERVE_CODE_FAILED',
      message: 'The constructor of deployment "BadConstructor" threw: no such weights file',
    });
    await expect(serve.run(inThread('Missing'), { port: 0 })).rejects.toThrow(/exports no class "Missing"/);
    await expect(serve.run(deployment({ module: './nowhere.ts', export: 'X' }), { port: 0 })).rejects.toThrow(
      /nowhere\.ts/,
    );
    class Bad {
      readonly call = String;
      constructor() {
        throw new Error('not today');
      }
    }
    await expect(serve.run(deployment(Bad), { port: 0 })).rejects.toThrow(/"Bad" threw: not today/);
    expect(serve.status()).toEqual({ url: undefined, applications: {} });
  });

  it('that is never constructed fails the run after startTimeoutS', async () => {
    const run = serve.run(inThread('NeverConstructed', { startTimeoutS: 0.5 }), { port: 0 });
    await expect(run).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'Replica NeverConstructed#1 was not ready within 0.5 s.',
    });
  });

  it('that never answers gives 504, and is replaced when nothing else is in its hands', async () => {
    await serve.run(inThread('Moody', { requestTimeoutS: 0.3, maxOngoingRequests: 2 }), { port: 0 });
    const first = await post('hang');
    expect([first.status, await first.json()]).toMatchObject([504, { error: { code: 'DEADLINE_EXCEEDED' } }]);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
    expect((await post('hang')).status).toBe(504);
    await restarted(1);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
  });

  it('whose thread spins is ended by its health check, and what it had in hand goes to another', async () => {
    const options = {
      healthCheckPeriodS: 0.05,
      healthCheckTimeoutS: 0.3,
      requestTimeoutS: 5,
      numReplicas: 2,
    };
    await serve.run(inThread('Moody', options), { port: 0 });
    const spinning = post('spin');
    await restarted(1);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
    // It takes down every replica that it is tried on, but no more than three.
    expect(await (await spinning).json()).toMatchObject({ error: { code: 'SERVE_REPLICA_LOST' } });
    await restarted(3);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
  });

  it('that ends its thread is replaced; the poison is tried three times and no more', async () => {
    await serve.run(inThread('Moody', { numReplicas: 2 }), { port: 0 });
    const died = await post('exit');
    expect([died.status, died.headers.get('retry-after')]).toEqual([503, '1']);
    await restarted(3);
    expect(await (await fetch(serve.url!)).text()).toBe('well');
    expect(serve.status().applications['default']!.deployments[0]).toMatchObject({
      restarts: 3,
      counts: { retries: 2 },
    });
  });

  it('whose own health check fails is replaced', async () => {
    await serve.run(inThread('Moody', { healthCheckPeriodS: 0.05 }), { port: 0 });
    expect(await (await post('sicken')).text()).toBe('sick');
    await restarted(1);
    expect(serve.status().applications['default']!.deployments[0]!.message).toMatch(
      /health check failed: .*feels sick/,
    );
  });
});
