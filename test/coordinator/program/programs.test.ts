// Programs of the owner on real workers of all runtimes.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LocalRuntime } from '../../../coordinator/options/localWorker.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { bundleModule } from '../../../coordinator/program/bundleModule.ts';
import { inlineBundle } from '../../../coordinator/program/inlineBundle.ts';
import { openProgram, type OpenOptions } from '../../../coordinator/program/openProgram.ts';
import type { Program } from '../../../coordinator/program/program.ts';
import type { ProgramInstance } from '../../../coordinator/program/programInstance.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { prepareTargets, type PreparedTargets } from './escapeTargets.ts';
import { flights, makeServedModels, oracleColumns } from '../serve/servedModels.ts';

const ESCAPES = 'test/coordinator/program/fixtures/escapes.ts';
const CALCULATOR = 'test/coordinator/program/fixtures/calculator.ts';
const JOIN_TOKEN = 'the-join-token-of-this-test';
const ADMIN_TOKEN = 'the-admin-token-of-this-test';
const AWS_KEY = 'the-key-of-another-service';
const runtimes = ['browser', 'deno', 'node'] as const;

let coordinator: Coordinator;
let localWorkers: LocalWorkers;
let targets: PreparedTargets;
const instances: ProgramInstance[] = [];

beforeAll(async () => {
  vi.stubEnv('TABGRAD_ADMIN_TOKEN', ADMIN_TOKEN);
  vi.stubEnv('TABGRAD_TOKEN', JOIN_TOKEN);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', AWS_KEY);
  targets = await prepareTargets();
  coordinator = await startCoordinator({ port: 0, graceMs: 500, joinToken: JOIN_TOKEN });
  // For all cases: those that kill one come last, and leave a node worker.
  localWorkers = await startWorkers(coordinator, ['browser', 'deno', 'node', 'node']);
});
afterEach(async () => {
  await Promise.all(instances.splice(0).map((instance) => instance.close('the case is over')));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await localWorkers.stop();
  await coordinator.close();
  await targets.close();
});

function startWorkers(
  { url }: Coordinator,
  runtime: readonly LocalRuntime[],
  allowCode = true,
): Promise<LocalWorkers> {
  return startLocalWorkers({
    url,
    token: JOIN_TOKEN,
    count: runtime.length,
    runtime,
    device: 'cpu',
    allowCode,
  });
}

const bundles = new Map<string, ReturnType<typeof bundleModule>>();

async function ofModule(
  exportName: string,
  args: readonly unknown[] = [],
  module = CALCULATOR,
): Promise<Program> {
  const bundle = bundles.get(exportName) ?? bundleModule({ module, export: exportName });
  bundles.set(exportName, bundle);
  return { name: exportName, code: await bundle, args, form: 'plain' };
}

async function open(program: Program, options?: OpenOptions): Promise<ProgramInstance> {
  const instance = await openProgram(
    { slots: coordinator.slots, blobs: coordinator.blobs },
    program,
    options,
  );
  instances.push(instance);
  void instance.leaving.then((reason) => instance.close(reason));
  return instance;
}

describe.each(runtimes)('A program on a %s worker', (runtime) => {
  it("is the owner's TypeScript class with its imports, and is called with typed arrays until it is closed", async () => {
    const instance = await open(await ofModule('Calculator', [{ most: 100 }, Float32Array.of(0.5, NaN)]), {
      runtime,
    });
    expect(instance.worker).toMatchObject({ runtime, device: 'cpu' });
    const sums = await instance.call('add', [Float32Array.of(1, 2, 3)]);
    expect(sums).toEqual(Float32Array.of(1.5, NaN, 3));
    const many = await Promise.all(
      Array.from({ length: 20 }, (_, i) => instance.call('add', [Float32Array.of(i)])),
    );
    expect(many).toEqual(Array.from({ length: 20 }, (_, i) => Float32Array.of(i + 0.5)));
    expect(await instance.call('calls', [])).toBe(21);

    await instance.close('enough');
    await expect(instance.call('calls', [])).rejects.toMatchObject({ code: 'PROGRAM_LOST' });
  });

  it("tells file and line of the owner's source when it throws, and goes on", async () => {
    const instance = await open(await ofModule('Calculator', [{ most: 10 }, new Float32Array(1)]), {
      runtime,
    });
    const failing = instance.call('add', [Float32Array.of(11)]);
    await expect(failing).rejects.toMatchObject({
      code: 'PROGRAM_CODE_FAILED',
      message: expect.stringMatching(
        /^RangeError: 11 is more than 10 \(at test\/coordinator\/program\/fixtures\/limits\.ts:9:11\)$/,
      ) as string,
      ownerStack: expect.stringContaining('fixtures/calculator.ts:26:') as string,
    });
    expect(await instance.call('calls', [])).toBe(1);
    await expect(instance.call('nothing', [])).rejects.toThrow(/no method "nothing"/);
    await expect(instance.call('constructor', [])).rejects.toThrow(/no method/);
  });

  it('is ended by its owner when it does not answer in time', async () => {
    const instance = await open(await ofModule('Calculator', [{ most: 10 }, new Float32Array(1)]), {
      runtime,
    });
    await expect(instance.call('loopForever', [], { deadlineMs: 300 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining(
        `Worker ${instance.worker.workerId} (${runtime}) did not answer loopForever`,
      ) as string,
      place: { peer: instance.worker.workerId },
    });
    await instance.close('it hangs');
    const next = await open(await ofModule('Calculator', [{ most: 10 }, new Float32Array(1)]), { runtime });
    expect(next.worker.workerId).toBe(instance.worker.workerId);
    expect(await next.call('calls', [])).toBe(0);
  });

  it('hears that a call was withdrawn', async () => {
    const instance = await open(await ofModule('Calculator', [{ most: 10 }, new Float32Array(1)]), {
      runtime,
    });
    const controller = new AbortController();
    const waiting = instance.call('waitForCancel', [], { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await expect.poll(() => instance.call('calls', [])).toBe(1000);
  });

  it('does not see the tokens of its worker', async () => {
    const instance = await open(await ofModule('look'), { runtime });
    const seen = (await instance.call('call', [])) as string;
    expect(seen).toContain('Object=');
    expect(seen).not.toContain(JOIN_TOKEN);
    expect(seen).not.toContain(ADMIN_TOKEN);
    const named = ['TABGRAD_TOKEN', 'AWS_SECRET_ACCESS_KEY'];
    // Deno's threads may not even ask.
    const answer = runtime === 'deno' ? 'is refused' : 'is undefined';
    for (const name of named) expect(seen).toContain(`${name} ${answer}`);
    expect(seen).not.toContain(AWS_KEY);
    expect(seen).not.toContain('auto=1');
  });

  it('has the files of a checkpoint that it was given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-checkpoint-'));
    try {
      await mkdir(join(folder, 'extra'));
      await writeFile(join(folder, 'model.json'), 'x'.repeat(1000));
      await writeFile(join(folder, 'extra', 'weights.bin'), 'y'.repeat(100_000));
      const instance = await open(
        await ofModule('FilesOfCheckpoint', [{ checkpoint: new Checkpoint(folder) }]),
        { runtime },
      );
      expect(await instance.call('call', [])).toEqual({ 'model.json': 1000, 'extra/weights.bin': 100_000 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe.each(['browser', 'deno'] as const)('A program on a %s worker', (runtime) => {
  it('calls no native code, reads no files and variables, and reaches nothing on the network', async () => {
    const { library, file, written, address } = targets;
    const instance = await open(await ofModule('attemptEscapes', [], ESCAPES), { runtime });
    expect(await instance.call('call', [{ library, file, written, address }])).toEqual([]);
    expect(existsSync(written)).toBe(false);
    expect(targets.asked).toEqual([]);
  });
});

it('A program on a node worker finds no credentials in what its process was started with', async () => {
  const instance = await open(await ofModule('startingVariables', [], ESCAPES), { runtime: 'node' });
  const variables = (await instance.call('call', [])) as string[];
  expect(variables).toContain(`PATH=${process.env['PATH']}`);
  const secrets = [JOIN_TOKEN, ADMIN_TOKEN, AWS_KEY];
  expect(variables.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  expect(variables.filter((line) => /^(TABGRAD_|AWS_|PG)/.test(line))).toEqual([]);
});

describe('A program', () => {
  it('may be a function that is given as a value, as far as it stands alone', async () => {
    const threshold = 3;
    const program = (code: Program['code']): Program => ({ name: 'inline', code, args: [], form: 'plain' });
    const doubled = await open(program(inlineBundle((x: number) => 2 * x, 'it')));
    expect(await doubled.call('call', [21])).toBe(42);
    const closing = await open(program(inlineBundle((x: number) => x > threshold, 'it')));
    await expect(closing.call('call', [1])).rejects.toThrow(
      /ReferenceError: threshold is not defined.*sees nothing around it/s,
    );
    expect(() => inlineBundle(parseInt as never, 'the function')).toThrow(/not a function with source text/);
    expect(() => inlineBundle(Object.values({ call() {} })[0]!, 'the function')).toThrow(
      /can't travel as text/,
    );
  });

  it('may import tabgrad: all types, and what workers have of it', async () => {
    const models = makeServedModels();
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-owner-'));
    try {
      const module = join(folder, 'doubt.ts');
      await writeFile(
        module,
        `import { GBDTPredictor, TabgradError, type Columns, type Dataset } from 'tabgrad';
         export class Doubt {
           predictor: GBDTPredictor;
           constructor(checkpoint: any) { this.predictor = new GBDTPredictor(checkpoint); }
           call(batch: Columns): unknown { return this.predictor.call(batch)['predictions']; }
           isFailure(): boolean { return new Error('x') instanceof TabgradError; }
         }`,
      );
      const code = await bundleModule({ module, export: 'Doubt' });
      const doubt = { name: 'Doubt', code, args: [models.late.checkpoint], form: 'plain' } as const;
      const rows = flights(50);
      const batch = {
        distance: rows.map(({ distance }) => distance),
        hour: rows.map(({ hour }) => hour),
        carrier: rows.map(({ carrier }) => carrier),
      };
      const expected = models.late.booster.predict({ columns: oracleColumns(rows), labels: [] });
      for (const runtime of runtimes) {
        const instance = await open(doubt, { runtime });
        const predicted = (await instance.call('call', [batch])) as Float32Array;
        predicted.forEach((chance, i) => expect(chance).toBeCloseTo(expected[i]!, 6));
        expect(await instance.call('isFailure', [])).toBe(false);
      }
      await writeFile(
        module,
        "import { startCoordinator } from 'tabgrad'; export const x = startCoordinator;",
      );
      await expect(bundleModule({ module, export: 'x' })).rejects.toMatchObject({
        code: 'PROGRAM_BUNDLE_FAILED',
        message: expect.stringMatching(/startCoordinator.*Of 'tabgrad', code on workers has GBDT/s) as string,
      });
    } finally {
      models.remove();
      await rm(folder, { recursive: true });
    }
  });

  it('waits for a worker, says why, and can be called off', async () => {
    const without = await startCoordinator({ port: 0, joinToken: JOIN_TOKEN });
    const refusing = await startWorkers(without, ['node'], false);
    const reasons: string[] = [];
    const controller = new AbortController();
    const program = await ofModule('Calculator', [{ most: 1 }, new Float32Array(1)]);
    const waiting = openProgram({ slots: without.slots, blobs: without.blobs }, program, {
      signal: controller.signal,
      onWaiting: (reason) => reasons.push(reason),
    });
    await expect
      .poll(() => reasons.at(-1), { timeout: 10_000 })
      .toBe("Calculator waits for 1 worker; 0 of 1 are free (1 not running owners' code).");
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await refusing.stop();
    await without.close();
  });

  it('shares no worker with a run', async () => {
    const instance = await open(await ofModule('Calculator', [{ most: 1 }, new Float32Array(1)]), {
      runtime: 'deno',
    });
    const { workerId } = instance.worker;
    expect(coordinator.pool.claim(workerId, 'some-run')).toBe(false);
    await instance.close('done');
    await expect.poll(() => coordinator.pool.claim(workerId, 'some-run')).toBe(true);
    const reasons: string[] = [];
    const controller = new AbortController();
    const waiting = open(await ofModule('Calculator'), {
      runtime: 'deno',
      signal: controller.signal,
      onWaiting: (reason) => reasons.push(reason),
    });
    await expect
      .poll(() => reasons.at(-1))
      .toBe('Calculator waits for 1 deno worker; 0 of 4 are free (1 in a run, 3 of another kind).');
    controller.abort();
    await expect(waiting).rejects.toThrow();
    coordinator.pool.unclaim(workerId, 'some-run');
  });

  it('spreads over the workers before they share one', async () => {
    const program = await ofModule('Calculator', [{ most: 1 }, new Float32Array(1)]);
    const two = await Promise.all([1, 2].map(() => open(program, { runtime: 'node' })));
    // Asked for later: which of several at once is first depends on when its bundle was stored.
    const places = [...two, await open(program, { runtime: 'node' })].map(({ worker }) => worker.workerId);
    expect(new Set(places.slice(0, 2)).size).toBe(2);
    expect(new Set(places).size).toBe(2);
  });

  it('refuses what can not work, with the reason', async () => {
    const missing = bundleModule({ module: './no/such.ts', export: 'x' });
    await expect(missing).rejects.toMatchObject({
      code: 'PROGRAM_BUNDLE_FAILED',
      message: expect.stringContaining('There is no module no/such.ts') as string,
    });
    await expect(bundleModule({ module: CALCULATOR, export: 'Calculater' })).rejects.toMatchObject({
      code: 'PROGRAM_EXPORT_MISSING',
      message: expect.stringContaining('Did you mean "Calculator"?') as string,
    });
    await expect(
      bundleModule({ module: 'coordinator/core/blobs/blobStore.ts', export: 'BlobStore' }),
    ).rejects.toMatchObject({
      code: 'PROGRAM_BUNDLE_FAILED',
      message: expect.stringMatching(/imports node:\w+.*which workers in tabs don't have/) as string,
    });
    await expect(open(await ofModule('notAFunction'))).rejects.toThrow(
      /exports no function or class "notAFunction"/,
    );
    await expect(open(await ofModule('Refuses'))).rejects.toMatchObject({
      code: 'PROGRAM_START_FAILED',
      message: expect.stringMatching(
        /Refuses can't be opened on worker .*: Error: not today \(at .*calculator\.ts/,
      ) as string,
    });
    const args = [{ most: 1, log: () => undefined }];
    await expect(open(await ofModule('Calculator', args))).rejects.toMatchObject({
      code: 'PROGRAM_VALUE_INVALID',
      message: expect.stringContaining('fnConstructorArgs[0].log is a function') as string,
    });
    const instance = await open(await ofModule('Calculator', [{ most: 1 }, new Float32Array(1)]));
    await expect(instance.call('add', [new Uint8Array(65 * 1024 * 1024)])).rejects.toMatchObject({
      code: 'PROGRAM_FRAME_INVALID',
    });
    expect(await instance.call('calls', [])).toBe(0);
  });
});

describe.each(runtimes)('A program on a %s worker that is killed', (runtime) => {
  it('fails all calls at once, and opens on another', async () => {
    const program = await ofModule('Calculator', [{ most: 10 }, new Float32Array(1)]);
    const instance = await open(program, { runtime });
    const { workerId } = instance.worker;
    const calls = [1, 2, 3].map(() => instance.call('waitForCancel', []));
    const settled = Promise.allSettled(calls);
    await localWorkers.workers.find((worker) => worker.workerId === workerId)!.kill();
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PROGRAM_LOST' } });
    }
    expect(await instance.ended).not.toBe('');
    const next = await open(program);
    expect(next.worker.workerId).not.toBe(workerId);
    expect(await next.call('calls', [])).toBe(0);
  });
});
