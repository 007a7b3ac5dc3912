// The declarations that users get: checked in a project of their own that has what an install of the package has, no more.

import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifest } from './installedPackage.ts';

const run = promisify(execFile);
const strict = [
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--target',
  'es2023',
];

let project: string;

/** @returns what the compiler has to say. */
async function check(source: string, ...options: string[]): Promise<string> {
  writeFileSync(join(project, 'script.ts'), source);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const args = [tsc, '--noEmit', ...strict, '--module', 'nodenext', ...options, 'script.ts'];
  return run(process.execPath, args, { cwd: project, timeout: 150_000 }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

function install(name: string): void {
  const place = join(project, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(resolve('node_modules', name), place);
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'tabgrad-types-test-'));
  const tabgrad = join(project, 'node_modules/tabgrad');
  mkdirSync(tabgrad, { recursive: true });
  cpSync('package.json', join(tabgrad, 'package.json'));
  await run(process.execPath, ['scripts/types.mjs', join(tabgrad, 'dist/types')], { timeout: 150_000 });
  for (const name of Object.keys(readManifest('.').dependencies!)) install(name);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const script = `
  import { fromArrow, GBDTTrainer, NeuralTrainer, DataParallelTrainer, resnet18, startCoordinator } from 'tabgrad';
  import type { Coordinator, DataParallelContext, Result } from 'tabgrad';
  import { tableFromArrays } from 'apache-arrow';

  const train = fromArrow(tableFromArrays({ a: Float64Array.of(1), label: Int32Array.of(0) }));
  export const result: Promise<Result> = new GBDTTrainer({
    datasets: { train },
    labelColumn: 'label',
    params: { objective: 'binary:logistic', max_depth: 3 },
    numBoostRound: 2,
  }).fit();
  // @ts-expect-error: rounds are a number
  new GBDTTrainer({ datasets: { train }, labelColumn: 'label', params: {}, numBoostRound: 'many' });
  export const neural = new NeuralTrainer({ model: resnet18(), datasets: { train }, loss: 'meanSquaredError' });
  async function loop(_: unknown, context: DataParallelContext): Promise<void> {
    const sum = await context.allReduce(context.tf.scalar(context.rank), 'sum');
    // @ts-expect-error: metrics are numbers
    await context.report({ sum: 'one' });
    await context.report({ sum: Number((await sum.data())[0]) });
  }
  export const looped = new DataParallelTrainer({ trainLoopPerWorker: loop, datasets: { train } });
  export const coordinator: Promise<Coordinator> = startCoordinator({ port: 0 });
`;

describe('the declarations of the package', () => {
  it('are those that its entry reaches, and none of workers', () => {
    const types = join(project, 'node_modules/tabgrad/dist/types');
    expect(existsSync(join(project, 'node_modules/tabgrad', readManifest('.').exports['.']!.types))).toBe(
      true,
    );
    expect(readdirSync(types).sort()).toEqual(['coordinator', 'kernels', 'shared']);
  });

  it('are complete without any package that is not installed, every file of them checked', async () => {
    expect(await check(script, '--skipLibCheck', 'false')).toBe('');
  });

  it('have the types of tfjs for who has installed it, and tensors of both are the same', async () => {
    install('@tensorflow/tfjs');
    const loop = `
      import * as tf from '@tensorflow/tfjs';
      import type { DataParallelContext } from 'tabgrad';
      export async function loop(_: unknown, context: DataParallelContext): Promise<void> {
        const sum: tf.Tensor = await context.allReduce(tf.scalar(1));
        // @ts-expect-error: no such method
        sum.nothing();
        // @ts-expect-error: no such function
        context.tf.nothing();
      }`;
    // The declarations of tfjs itself do not pass a check.
    expect(await check(loop, '--skipLibCheck', 'true')).toBe('');
  });
});
