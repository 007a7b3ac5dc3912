import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { makeServedModels, type ServedModels } from '../servedModels.ts';

let models: ServedModels;
let serve = new Serve({ log: () => undefined });
let finish = (): void => undefined;
let begun: Promise<void>;
let tellBegun = (): void => undefined;

/** Takes its time to start. */
class Late {
  async init(): Promise<void> {
    tellBegun();
    await new Promise<void>((resolve) => (finish = resolve));
  }

  call(): string {
    return 'late';
  }
}

class Broken {
  constructor() {
    throw new Error('broken');
  }

  call(): string {
    return '';
  }
}

class Quick {
  call(): string {
    return 'quick';
  }
}

beforeAll(() => void (models = makeServedModels()));
afterEach(async () => {
  finish();
  await serve.shutdown();
  serve = new Serve({ log: () => undefined });
});
afterAll(() => models.remove());

async function statuses(...places: string[]): Promise<(number | string | null)[]> {
  const answers = await Promise.all(places.map((place) => fetch(serve.url + place)));
  return answers.map(({ status }) => status);
}
const health = ['/-/healthz', '/v2/health/ready', '/v2/health/live'];

function startLate(): Promise<unknown> {
  begun = new Promise((resolve) => (tellBegun = resolve));
  return serve.run(deployment(Late), { name: 'late', routePrefix: '/late', port: 0 });
}

describe('a server is ready', () => {
  it('only when its applications are, and asks callers to come again until then', async () => {
    const running = startLate();
    await begun;
    expect(await statuses(...health)).toEqual([503, 503, 200]);
    const early = await fetch(`${serve.url}/late`);
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await early.json()).toMatchObject({
      error: { code: 'SERVE_UNAVAILABLE', message: 'Applications are being started: late.' },
    });
    const model = await fetch(`${serve.url}/v2/models/late/ready`);
    expect([model.status, model.headers.get('retry-after')]).toEqual([503, '1']);
    finish();
    await running;
    expect(await statuses(...health, '/late', '/other')).toEqual([200, 200, 200, 200, 404]);
  });

  it('when those that run are, while another version of one is started', async () => {
    await serve.run(deployment(Quick), { name: 'late', routePrefix: '/late', port: 0 });
    const running = startLate();
    await begun;
    expect(await statuses(...health, '/late', '/other')).toEqual([200, 200, 200, 200, 404]);
    finish();
    await running;
  });

  it('when what was announced has come, or is not to come after all', async () => {
    const cancel = serve.expect('announced');
    serve.expect('first');
    await serve.run(deployment(Quick), { name: 'first', port: 0 });
    expect(await statuses('/-/healthz', '/')).toEqual([503, 200]);
    cancel();
    expect(await statuses('/-/healthz')).toEqual([200]);
    const broken = serve.run(deployment(Broken), { name: 'broken', routePrefix: '/broken' });
    await expect(broken).rejects.toThrow('broken');
    expect(await statuses('/-/healthz', '/nothing')).toEqual([200, 200]);
  });

  it('no longer when its last application was deleted', async () => {
    await serve.run(deployment(models.late.checkpoint), { name: 'one', port: 0 });
    expect(await statuses(...health)).toEqual([200, 200, 200]);
    await serve.delete('one');
    expect(await statuses(...health)).toEqual([503, 503, 200]);
  });
});
