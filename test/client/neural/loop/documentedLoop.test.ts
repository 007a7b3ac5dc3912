// The loop of docs/neural.md, as it stands there.

import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { transformWithOxc } from 'vite';
import { beforeAll, expect, it } from 'vitest';
import { loopAnswers } from '../../../../client/neural/loop/loopAnswers.ts';
import { joinLoop } from '../../../../client/neural/loop/loopContext.ts';
import { loadTfjs } from '../../../../client/neural/tfjs/loadTfjs.ts';
import { soloCollective } from '../../../../shared/collective/soloCollective.ts';
import type { DataParallelContext } from '../../../../shared/neural/loop/dataParallelLoop.ts';

const ROWS = 640;
const EPOCHS = 5;

beforeAll(async () => void (await loadTfjs(undefined)));

type Loop = (config: { epochs: number }, context: DataParallelContext) => Promise<void>;

async function documentedLoop(): Promise<Loop> {
  const text = readFileSync(new URL('../../../../docs/neural.md', import.meta.url), 'utf8');
  const source = /^async function loop[^]*?^}$/m.exec(text)![0];
  const { code } = await transformWithOxc(
    source.replace(
      '[/* … */]',
      '[tf.layers.dense({ units: 8, inputShape: [4] }), tf.layers.dense({ units: 2 })]',
    ),
    'loop.ts',
  );
  const lossOf = (_tf: unknown, model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor): tf.Scalar =>
    tf.losses.meanSquaredError(y, model.apply(x) as tf.Tensor);
  // oxlint-disable-next-line typescript/no-implied-eval -- the text of our own docs
  return new Function('lossOf', 'loss', `${code}\nreturn loop;`)(lossOf, 0) as Loop;
}

it('holds as many tensors after its last epoch as after its first', async () => {
  const held: number[] = [];
  const columns = (from: number, to: number, width: number, name: string) => {
    const values = Float32Array.from({ length: (to - from) * width }, (_, at) => Math.sin(from + at));
    return { name, shape: [width], values };
  };
  const answers = loopAnswers({
    collective: soloCollective,
    datasets: new Map([
      [
        'train',
        {
          rows: ROWS,
          read: (_epoch, from, to) => Promise.resolve([columns(from, to, 4, 'x'), columns(from, to, 2, 'y')]),
        },
      ],
    ]),
    signal: new AbortController().signal,
    timeoutMs: 20_000,
    reports: 0,
    endsAfter: () => false,
    over: () => new Error('over'),
    onReport: () => void held.push(tf.memory().numTensors),
  });
  const { context } = joinLoop({
    tf,
    ask: async (what) => structuredClone((await answers.answer(structuredClone(what))).value),
    rank: 0,
    size: 1,
    reports: 0,
    datasetRows: { train: ROWS },
    checkpoint: undefined,
  });
  await (
    await documentedLoop()
  )({ epochs: EPOCHS }, context);
  expect(held).toHaveLength(EPOCHS);
  expect(new Set(held).size).toBe(1);
});
