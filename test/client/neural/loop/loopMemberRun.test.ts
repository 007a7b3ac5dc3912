// An owner's loop in worker sessions: a group that is formed, loses a member, takes one in, and ends.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataParallelContext } from '../../../../shared/neural/loop/dataParallelLoop.ts';
import type { LoopCode, LoopSpec } from '../../../../shared/neural/loop/loopSpec.ts';
import { unpackFiles } from '../../../../shared/neural/loop/packedFiles.ts';
import { encodeTensorShard } from '../../../../shared/neural/run/tensorShard.ts';
import type { TensorField } from '../../../../shared/neural/run/neuralSpec.ts';
import { formGroup, RUN, SessionWorld } from '../../session/sessionWorld.ts';

const ROWS = 8;
const EPOCHS = 6;

let world: SessionWorld;
beforeEach(() => void (world = new SessionWorld()));
afterEach(() => world.close());

/** y = 3x + 1 by gradient descent over all rows; a report and a checkpoint an epoch. */
async function fitLine(
  config: { epochs: number; rate: number },
  context: DataParallelContext,
): Promise<void> {
  const { tf } = context;
  const kept = context.getCheckpoint();
  let { epoch } = (kept?.state ?? { epoch: 0 }) as { epoch: number };
  let line = kept?.tensors()['line'] ?? tf.zeros([2]);
  const shard = context.getDatasetShard();
  while (epoch < config.epochs) {
    for await (const { x, y } of shard.iterBatches({ batchSize: shard.rows, epoch })) {
      const { value, grad } = tf.valueAndGrad((w) => {
        const [slope, start] = tf.split(w, 2);
        return tf.mean(tf.squaredDifference(tf.add(tf.mul(x!, slope!), start!), y!)).asScalar();
      })(line);
      const mean = await context.allReduce({ grad, loss: value });
      line = tf.sub(line, tf.mul(mean.grad, config.rate));
      epoch += 1;
      await context.report({ loss: mean.loss.dataSync()[0]! }, { tensors: { line }, state: { epoch } });
    }
  }
}

/** Goes on as if nothing had happened. */
const swallowing = `async (config, context) => {
  try { await context.report({ loss: 'low' }) } catch {}
}`;

function specOf(code: LoopCode = { kind: 'text', source: String(fitLine) }, changes: Partial<LoopSpec> = {}) {
  const column = (name: string): TensorField => ({
    name,
    shape: [],
    storage: 'float32',
    dtype: 'float32',
    scale: 1,
    offset: 0,
  });
  const [x, y] = [column('x'), column('y')];
  const values = Float32Array.from({ length: ROWS }, (_, row) => row / ROWS);
  const bytes = encodeTensorShard([x, y], [values, values.map((value) => 3 * value + 1)], ROWS);
  const shards = [{ sha256: world.put(bytes), sizeBytes: bytes.length, rows: ROWS }];
  const spec: LoopSpec = {
    trainer: 'loop',
    code,
    config: { epochs: EPOCHS, rate: 0.3 },
    datasets: { train: { rows: ROWS, shardRows: ROWS, inputs: [x], target: y, shards } },
    seed: 1,
    timeoutMs: 20_000,
    maxReports: 1000,
    ...changes,
  };
  return { specHash: world.putJson(spec), leases: [] };
}

const begin = (members: readonly string[], generation: number): void =>
  world.sayAll(members, { type: 'begin', runId: RUN, generation });

async function lossOf(worker: string, report: number): Promise<number> {
  const { metrics } = await world.hear(worker, 'committed', ({ round }) => round === report - 1);
  return metrics!['loss']!;
}

/** Losses in plain JavaScript. */
function expectedLosses(): number[] {
  let [slope, start] = [0, 0];
  return Array.from({ length: EPOCHS }, () => {
    let [loss, bySlope, byStart] = [0, 0, 0];
    for (let row = 0; row < ROWS; row += 1) {
      const x = row / ROWS;
      const error = slope * x + start - (3 * x + 1);
      loss += error ** 2 / ROWS;
      bySlope += (2 * error * x) / ROWS;
      byStart += (2 * error) / ROWS;
    }
    [slope, start] = [slope - 0.3 * bySlope, start - 0.3 * byStart];
    return loss;
  });
}

describe('The loop of an owner', () => {
  it.each([1, 2, 4])(
    'gives a group of %s the losses that plain JavaScript has, and ends the run',
    async (size) => {
      const members = Array.from({ length: size }, (_, at) => `w${at}`);
      members.forEach((member) => world.addWorker(member));
      await formGroup(world, specOf(), 1, members);
      begin(members, 1);
      for (const [epoch, loss] of expectedLosses().entries()) {
        expect(await lossOf('w0', epoch + 1)).toBeCloseTo(loss, 4);
      }
      for (const member of members) {
        expect(await world.hear(member, 'finished')).toMatchObject({ rounds: EPOCHS });
      }
    },
  );

  it('goes on from the last checkpoint when a member is lost, also at one who comes anew', async () => {
    ['w0', 'w1', 'w2'].forEach((member) => world.addWorker(member));
    const run = specOf();
    await formGroup(world, run, 1, ['w0', 'w1']);
    begin(['w0', 'w1'], 1);
    expect(await lossOf('w0', 2)).toBeCloseTo(expectedLosses()[1]!, 4);
    const saved = await world.hear('w0', 'saved');
    world.kill('w0');
    expect(await world.hear('w1', 'stalled')).toMatchObject({ missing: ['w0'] });
    world.say('w1', {
      type: 'halt',
      runId: RUN,
      generation: 1,
      when: 'now',
      knownRounds: 0,
      reason: 'w0 is gone',
    });
    const { committedRounds } = await world.hear('w1', 'halted');
    expect(committedRounds).toBeGreaterThanOrEqual(2);
    expect(saved.rounds).toBeGreaterThanOrEqual(2);

    // The newcomer is rank 0, so it has the loop's say.
    await formGroup(world, run, 2, ['w2', 'w1']);
    begin(['w2', 'w1'], 2);
    for (let report = committedRounds + 1; report <= EPOCHS; report += 1) {
      expect(await lossOf('w2', report)).toBeCloseTo(expectedLosses()[report - 1]!, 4);
    }
    expect(await world.hear('w1', 'finished')).toMatchObject({ rounds: EPOCHS });
  });

  it('halts together at a report, keeps its checkpoint at the coordinator, and begins again from there', async () => {
    ['w0', 'w1'].forEach((member) => world.addWorker(member));
    const run = specOf();
    await formGroup(world, run, 1, ['w0', 'w1']);
    const halt = {
      type: 'halt',
      runId: RUN,
      generation: 1,
      when: 'commit',
      atRounds: 2,
      knownRounds: 0,
    } as const;
    world.sayAll(['w0', 'w1'], { ...halt, reason: 'stopped' });
    begin(['w0', 'w1'], 1);
    const saved = await world.hear('w0', 'saved', ({ rounds }) => rounds === 2);
    for (const member of ['w0', 'w1']) {
      expect(await world.hear(member, 'halted')).toMatchObject({ committedRounds: 2 });
    }
    const files = unpackFiles(world.blobs.get(saved.sha256)!);
    expect(new TextDecoder().decode(files.get('state.json'))).toBe('{"epoch":2}');

    const { sha256, sizeBytes } = saved;
    const again = specOf(undefined, { startingCheckpoint: { sha256, sizeBytes } });
    world.sayAll(['w0', 'w1'], { type: 'release', runId: RUN, reason: 'over' });
    world.addWorker('w3');
    await formGroup(world, again, 3, ['w3']);
    begin(['w3'], 3);
    expect(await lossOf('w3', 1)).toBeCloseTo(expectedLosses()[2]!, 4);
  });

  it('travels as a module as well', async () => {
    const source = `const loop = ${String(fitLine)};\nexport { loop };\n`;
    const bytes = new TextEncoder().encode(source);
    const bundle = { sha256: world.put(bytes), sizeBytes: bytes.length };
    world.addWorker('w0');
    await formGroup(world, specOf({ kind: 'module', bundle, exportName: 'loop' }), 1, ['w0']);
    begin(['w0'], 1);
    expect(await lossOf('w0', EPOCHS)).toBeCloseTo(expectedLosses().at(-1)!, 4);
  });

  it.each([
    ['throws at once', '() => { throw new Error("no luck") }', /trainLoopPerWorker threw: Error: no luck/],
    ['throws', 'async () => { throw new Error("no luck") }', /trainLoopPerWorker threw: Error: no luck/],
    ['swallows a failure of the group', swallowing, /metric "loss" is low/],
  ])('fails the run when it %s', async (_title, source, message) => {
    world.addWorker('w0');
    await formGroup(world, specOf({ kind: 'text', source }), 1, ['w0']);
    begin(['w0'], 1);
    await expect(world.hear('w0', 'finished')).rejects.toThrow(message);
  });

  it('is refused before the group begins when it is no function', async () => {
    world.addWorker('w0');
    const forming = formGroup(world, specOf({ kind: 'text', source: '42' }), 1, ['w0']);
    await expect(forming).rejects.toThrow(/trainLoopPerWorker is no function/);
  });
});
