import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recipeBlobs } from '../../../coordinator/core/store/serveRecord.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { runTabgrad } from '../cli/runTabgrad.ts';
import { makeLayersModels, type LayersModels } from './layersModels.ts';
import { flights, makeServedModels, type ServedModels } from './servedModels.ts';

const module = new URL('./fixtures/services.ts', import.meta.url);
let models: ServedModels;
let layers: LayersModels;
beforeAll(async () => {
  models = makeServedModels();
  layers = await makeLayersModels();
});
afterAll(() => {
  models.remove();
  layers.remove();
});

let folder = '';
let coordinator: Coordinator;
let serve: Serve;
const logged: string[] = [];

async function start(): Promise<void> {
  coordinator = await startCoordinator({ port: 0, storagePath: path.join(folder, 'storage') });
  serve = new Serve({
    coordinator,
    log: ({ level, message }) => void (level === 'error' && logged.push(message)),
  });
}
async function stop(): Promise<void> {
  await serve.shutdown();
  await coordinator.close();
}
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-record-'));
  await start();
});
afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true });
  logged.length = 0;
});

/** A copy that the test takes away again. */
function copied(checkpoint: Checkpoint, name: string): Checkpoint {
  const place = path.join(folder, name);
  cpSync(checkpoint.modelPath, path.join(place, 'model.json'));
  return new Checkpoint(place);
}

async function ask(place: string, body: unknown): Promise<unknown> {
  return (await fetch(serve.url + place, { method: 'POST', body: JSON.stringify(body) })).json();
}

describe('what was deployed', () => {
  it('comes back after a restart: trees, neural nets, classes in modules with what they are bound to', async () => {
    const late = copied(models.late.checkpoint, 'late');
    const dense = path.join(folder, 'dense');
    cpSync(layers.dense.checkpoint.path, dense, { recursive: true });
    await serve.run(deployment(GBDTPredictor, { version: '7' }).bind(late, { outputColumn: 'chance' }), {
      name: 'late',
      routePrefix: '/late',
      port: 0,
    });
    await serve.run(deployment(new Checkpoint(dense)), {
      name: 'dense',
      routePrefix: '/dense',
      modelName: 'net',
    });
    const adder = (amount: number) => deployment({ module, export: 'Adder' }).bind(amount);
    await serve.run(deployment({ module, export: 'Combiner' }).bind({ first: adder(3), rest: [adder(5)] }), {
      name: 'sum',
    });
    await serve.run(deployment(models.later.checkpoint), { name: 'gone', routePrefix: '/gone' });
    await serve.delete('gone');
    const answers = async (): Promise<readonly unknown[]> => [
      await ask('/late', flights(20)),
      await ask('/dense', [[0.1, 0.2, 0.3, 0.4]]),
      await ask('/', { x: 1 }),
      await (await fetch(`${serve.url}/v2/models/late`)).json(),
    ];
    const before = await answers();
    expect(before[2]).toEqual({ first: 4, second: 4.5 });
    const status = serve.status().applications;
    await stop();
    rmSync(late.path, { recursive: true });
    rmSync(dense, { recursive: true });

    await start();
    expect((await coordinator.deployments.all()).map(({ status }) => status)).toEqual(
      Array(3).fill('stopped'),
    );
    expect(await serve.restore({ port: 0 })).toEqual(['late', 'dense', 'sum']);
    expect(await answers()).toEqual(before);
    expect(serve.status().applications).toEqual(status);
    expect((await coordinator.deployments.all()).map(({ status }) => status)).toEqual(
      Array(3).fill('running'),
    );
  });

  it('is kept as blobs that are in use, and is what the last good deployment was', async () => {
    const late = copied(models.late.checkpoint, 'late');
    await serve.run(deployment(late), { port: 0 });
    await expect(serve.run(deployment({ module, export: 'BadConstructor' }))).rejects.toThrow(
      /no such weights/,
    );
    const [recorded] = await coordinator.deployments.all();
    expect(recorded).toMatchObject({
      name: 'default',
      status: 'running',
      deployments: [{ name: 'Model', replicas: 1 }],
    });
    const blobs = [...recipeBlobs([recorded!.recipe])];
    expect(blobs).toHaveLength(1);
    expect(Buffer.from(await coordinator.blobs.read(blobs[0]!)).toString()).toBe(late.modelText());
  });

  it('and can not come back is told, and keeps nothing else from coming back', async () => {
    class Own {
      call(): number {
        return 1;
      }
    }
    await serve.run(deployment(Own), { name: 'own', routePrefix: '/own', port: 0 });
    await serve.run(deployment({ module, export: 'Adder' }).bind(new Map()), {
      name: 'map',
      routePrefix: '/map',
    });
    await serve.run(deployment(models.late.checkpoint), { name: 'late' });
    const [own] = await coordinator.deployments.all();
    expect(own).toMatchObject({ status: 'running', recipe: { reason: expect.any(String) as string } });
    await stop();
    await start();
    expect(await serve.restore({ port: 0 })).toEqual(['late']);
    expect(await coordinator.deployments.all()).toMatchObject([
      {
        name: 'own',
        status: 'failed',
        message: expect.stringMatching(/"Own" is a class of the process/) as string,
      },
      {
        name: 'map',
        status: 'failed',
        message: expect.stringMatching(/argument of deployment "Adder" has no JSON/) as string,
      },
      { name: 'late', status: 'running', message: '' },
    ]);
    expect(logged.join('\n')).toMatch(/application "own" can not be brought back/);
  });

  it('is listed by tabgrad status', async () => {
    await serve.run(deployment(models.late.checkpoint, { version: '7', numReplicas: 2 }), {
      name: 'late',
      routePrefix: '/late',
      port: 0,
    });
    const words = ['status', '--url', coordinator.url, '--token', coordinator.tokens.admin];
    const [text, json] = await Promise.all([runTabgrad(words), runTabgrad([...words, '--json'])]);
    expect(text.stdout).toMatch(/deployments: 1\n\s*late\/Model +version 7 +2 replicas +\/late +running\n/);
    expect(JSON.parse(json.stdout)).toMatchObject({
      applications: [
        { name: 'late', isRestorable: true, deployments: [{ name: 'Model', version: '7', replicas: 2 }] },
      ],
    });
  });
});

it('restore() without a coordinator says what it needs', async () => {
  await expect(new Serve().restore()).rejects.toMatchObject({ code: 'SERVE_ARGUMENT' });
});
