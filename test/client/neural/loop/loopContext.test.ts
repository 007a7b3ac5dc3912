// An owner's loop among members that share a process: collectives over tensors, reports, checkpoints.

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  loopAnswers,
  type LoopAnswers,
  type LoopDataset,
  type LoopGroup,
  type LoopReport,
} from '../../../../client/neural/loop/loopAnswers.ts';
import { joinLoop } from '../../../../client/neural/loop/loopContext.ts';
import { openCheckpoint } from '../../../../client/neural/loop/loopCheckpoint.ts';
import { loadTfjs } from '../../../../client/neural/tfjs/loadTfjs.ts';
import type { Collective } from '../../../../shared/collective/collective.ts';
import { soloCollective } from '../../../../shared/collective/soloCollective.ts';
import type { DataParallelContext } from '../../../../shared/neural/loop/dataParallelLoop.ts';
import { packFiles, unpackFiles } from '../../../../shared/neural/loop/packedFiles.ts';
import { memoryGroup } from '../../collective/memoryGroup.ts';

const never = new AbortController().signal;

beforeAll(async () => void (await loadTfjs(undefined)));

describe('collectives over tensors', () => {
  it('take the mean or the sum, in the form that was given, and leave the arguments alone', async () => {
    const { results } = await together(3, async ({ rank, allReduce, tf: own }) => {
      const one = own.tensor([[rank, 1]]);
      const two = own.scalar(10 * rank);
      const mean = await allReduce({ one, two });
      const [sum] = await allReduce([two] as const, 'sum');
      const alone = await allReduce(own.scalar(rank));
      return {
        given: [...one.dataSync()],
        mean: { one: mean.one.arraySync(), two: mean.two.arraySync() },
        sum: sum.arraySync(),
        alone: alone.arraySync(),
      };
    });
    expect(results.map(({ given }) => given)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    for (const { mean, sum, alone } of results) {
      expect(mean).toEqual({ one: [[1, 1]], two: 10 });
      expect(sum).toBe(30);
      expect(alone).toBe(1);
    }
  });

  it('give the values of the root to all', async () => {
    const { results } = await together(3, async ({ rank, broadcast, tf: own }) =>
      (await broadcast(own.tensor1d([rank, rank + 1]), 1)).arraySync(),
    );
    expect(results).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it('refuse what is no float32 tensor, by its name', async () => {
    const solo = (): DataParallelContext => joined(soloCollective).context;
    await expect(solo().allReduce({ steps: tf.scalar(1, 'int32') })).rejects.toThrow(
      /allReduce: steps is of type int32; expected float32/,
    );
    await expect(solo().allReduce({ loss: 3 as unknown as tf.Tensor })).rejects.toThrow(
      /allReduce: loss is no tensor/,
    );
  });
});

describe('a dataset', () => {
  const rows: LoopDataset = {
    rows: 11,
    // The order of the second epoch is the reverse of the first.
    read: async (epoch, from, to) => {
      const positions = Array.from({ length: to - from }, (_, at) => from + at);
      const values = positions.map((position) => (epoch === 0 ? position : 10 - position));
      return [
        { name: 'x', shape: [2], values: Float32Array.from(values.flatMap((value) => [value, value + 0.5])) },
        { name: 'label', shape: [], values: Int32Array.from(values) },
      ];
    },
  };
  const datasets = new Map([['train', rows]]);

  it('is shared out in equal parts, in batches that are disposed of', async () => {
    const before = tf.memory().numTensors;
    const { results } = await together(
      2,
      async ({ getDatasetShard }) => {
        const shard = getDatasetShard();
        const seen: unknown[] = [];
        for await (const { x, label } of shard.iterBatches({ batchSize: 2 })) {
          seen.push([x!.arraySync(), label!.arraySync()]);
        }
        for await (const { label } of shard.iterBatches({ batchSize: 2, epoch: 1, dropLast: true })) {
          seen.push(label!.arraySync());
        }
        return { rows: shard.rows, totalRows: shard.totalRows, seen };
      },
      { datasets },
    );
    expect(tf.memory().numTensors).toBe(before);
    const batch = (...labels: number[]): unknown => [labels.map((value) => [value, value + 0.5]), labels];
    const seen = [
      [batch(0, 1), batch(2, 3), batch(4), [10, 9], [8, 7]],
      [batch(5, 6), batch(7, 8), batch(9), [5, 4], [3, 2]],
    ];
    expect(results).toEqual(seen.map((own) => ({ rows: 5, totalRows: 11, seen: own })));
  });

  it('refuses options that are none', async () => {
    const { context } = joined(soloCollective, { datasets });
    const batches = context.getDatasetShard().iterBatches({ batchsize: 2 } as never);
    await expect(batches.next()).rejects.toThrow(
      'iterBatches: batchsize is not an option; did you mean batchSize?',
    );
  });

  it('is asked for by a name that is there', () => {
    const { context } = joined(soloCollective, { datasets });
    expect(() => context.getDatasetShard('valid')).toThrow(/no dataset "valid"; the trainer was given train/);
  });
});

describe('reports', () => {
  it("commit rank 0's metrics and checkpoint at every member", async () => {
    const { reports } = await together(2, async (context) => {
      const { rank, tf: own } = context;
      expect(context.getCheckpoint()).toBeUndefined();
      const model = own.sequential({ layers: [own.layers.dense({ units: 1, inputShape: [1] })] });
      model.setWeights([own.tensor2d([[rank + 3]]), own.tensor1d([rank])]);
      const tensors = { v: own.tensor1d([rank, 7]) };
      await context.report({ loss: rank }, { model, tensors, state: { epoch: rank } });
      expect(context.reports).toBe(1);
      await context.report({ loss: 5 });
      const kept = context.getCheckpoint()!;
      expect(kept.state).toEqual({ epoch: 0 });
      expect(kept.tensors()['v']!.arraySync()).toEqual([0, 7]);
      const loaded = await kept.loadModel();
      expect((loaded.predict(own.tensor2d([[2]])) as tf.Tensor).arraySync()).toEqual([[6]]);
    });
    for (const own of reports) {
      expect(own.map(({ report, metrics }) => [report, metrics['loss']])).toEqual([
        [1, 0],
        [2, 5],
      ]);
    }
    const [one, two] = reports.map((own) => packFiles(own[0]!.checkpoint!));
    expect(two).toEqual(one);
  });

  it('name the rank that has returned while others report, which alone fails', async () => {
    const ends = await Promise.allSettled(
      memoryGroup(3).collectives.map(async (collective, rank) => {
        const { context, returned } = joined(collective);
        await context.report({});
        if (rank !== 1) await context.report({});
        await returned();
      }),
    );
    const reasons = ends.map((end) => (end.status === 'rejected' ? (end.reason as Error) : undefined));
    for (const rank of [0, 2]) {
      expect(reasons[rank]).toMatchObject({
        code: 'PEER_MESSAGE_INVALID',
        peers: ['worker-1'],
        message:
          `rank ${rank} makes report 2, rank 1 has returned after report 1; ` +
          'every member must report equally often and then return',
      });
    }
    expect(reasons[1]).toMatchObject({ code: 'TRAIN_LOOP_FAILED' });
  });

  it.each([
    ['no arrival at all', 'nonsense'],
    ['a number of reports that is none', '{"doing":"report","reports":-1,"isLast":false,"metrics":{}}'],
    ['another number of reports', '{"doing":"report","reports":7,"isLast":false,"metrics":{}}'],
  ])('name who sends %s, and fail nobody else', async (_, text) => {
    const [honest, , other] = memoryGroup(3).collectives.map((collective, rank) => {
      if (rank !== 1) return joined(collective).context.report({});
      return collective.allGather(new TextEncoder().encode(text), { maxBytes: 4 * 1024 * 1024 });
    });
    for (const report of [honest, other])
      await expect(report).rejects.toMatchObject({ code: 'PEER_MESSAGE_INVALID', peers: ['worker-1'] });
  });

  it('name who does not come, after a time', async () => {
    const stuck = together(
      2,
      ({ rank, report }) => (rank === 0 ? report({}) : new Promise<void>(() => undefined)),
      { timeoutMs: 50 },
    );
    await expect(stuck).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', place: { peer: 'worker-1' } });
  });

  it('end the generation at every member when most were told to, and nothing is asked of the group then', async () => {
    const ended = await Promise.all(
      memoryGroup(3).collectives.map(async (collective, rank) => {
        // The first rank alone ends nothing.
        const endsAfter = (report: number): boolean => (rank === 0 ? report === 1 : report === 2);
        const { context } = joined(collective, { endsAfter });
        await context.report({});
        await expect(context.report({})).rejects.toThrow('no further report');
        await expect(context.barrier()).rejects.toThrow('no further report');
        return context.reports;
      }),
    );
    expect(ended).toEqual([2, 2, 2]);
  });

  it('take numbers alone, and state that is JSON', async () => {
    const solo = (): DataParallelContext => joined(soloCollective).context;
    await expect(solo().report({ loss: 'low' as unknown as number })).rejects.toThrow(/metric "loss" is low/);
    await expect(solo().report({}, { state: () => 1 })).rejects.toThrow(/state is not plain JSON/);
    await expect(solo().report({}, { stat: 1 } as never)).rejects.toThrow(
      'report: stat is not an option; did you mean state?',
    );
  });
});

describe('a packed checkpoint', () => {
  const packed = packFiles(new Map([['state.json', new TextEncoder().encode('{"epoch":3}')]]));

  it('opens as it was', () => {
    expect(openCheckpoint(tf, unpackFiles(packed)).state).toEqual({ epoch: 3 });
  });

  it.each([
    ['cut short', packed.slice(0, -1), /has \d+ bytes; its header says/],
    ['cut in its header', packed.slice(0, 8), /ends within its header/],
    ['of other bytes', Uint8Array.from([2, 0, 0, 0, 1, 2]), /not understood/],
    ['with a path for a name', packed.map((byte, at) => (at === 6 ? 47 : byte)), /not understood/],
  ])('%s is refused', (_title, bytes, message) => {
    expect(() => unpackFiles(bytes)).toThrow(message);
  });
});

interface Joined extends LoopAnswers {
  readonly context: DataParallelContext;
}

/** Both sides of a loop, and copies of what they say to each other. */
function joined(collective: Collective, changes: Partial<LoopGroup> = {}): Joined {
  const group: LoopGroup = {
    collective,
    datasets: new Map(),
    signal: never,
    timeoutMs: 20_000,
    reports: 0,
    endsAfter: () => false,
    over: () => new Error('over'),
    onReport: () => undefined,
    ...changes,
  };
  const answers = loopAnswers(group);
  const { rank, size } = collective;
  const datasetRows = Object.fromEntries([...group.datasets].map(([name, { rows }]) => [name, rows]));
  const { context } = joinLoop({
    tf,
    ask: async (what) => structuredClone((await answers.answer(structuredClone(what))).value),
    rank,
    size,
    reports: 0,
    datasetRows,
    checkpoint: undefined,
  });
  return { ...answers, context };
}

/** Runs a loop at every member of a group; rejects with the first member's failure. */
async function together<T>(
  size: number,
  loop: (context: DataParallelContext) => Promise<T>,
  changes: Partial<LoopGroup> = {},
): Promise<{ readonly results: readonly T[]; readonly reports: readonly LoopReport[][] }> {
  const { collectives } = memoryGroup(size);
  const reports = collectives.map((): LoopReport[] => []);
  const results = await Promise.all(
    collectives.map(async (collective, rank) => {
      const onReport = (report: LoopReport): void => void reports[rank]!.push(report);
      const { context, returned } = joined(collective, { onReport, ...changes });
      const result = await loop(context);
      await returned();
      return result;
    }),
  );
  return { results, reports };
}
