// What the server makes of a worker's answers, and of its end. The worker is a function here, so that it can say anything.

import { describe, expect, it } from 'vitest';
import type { ProgramCluster } from '../../../coordinator/cluster/cluster.ts';
import { LayersProgram } from '../../../coordinator/serve/replica/layersProgram.ts';
import { openPooledNet } from '../../../coordinator/serve/replica/pooledNet.ts';
import { PoolReplica } from '../../../coordinator/serve/replica/poolReplica.ts';
import { deferred } from '../../../shared/deferred.ts';
import { decodeProgramFrame, encodeProgramFrame, frameValue } from '../../../shared/program/programFrame.ts';
import { toProgram } from '../../../shared/protocol/program.ts';
import type { LayersFacts, LayersNet, NetRows, PredictedRows } from '../../../shared/serve/layersNet.ts';

const facts: LayersFacts = {
  layers: 2,
  parameters: 3,
  inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
  outputs: [{ name: 'predictions', dtype: 'float32', shape: [null] }],
};

type Answer = (method: string, args: readonly unknown[]) => unknown;

const worker = (answer: Answer) => ({
  call: (method: string, args: readonly unknown[]) => Promise.resolve(answer(method, args)),
});

const net = (predict: (rows: NetRows) => unknown, told: unknown = facts): Promise<LayersNet> =>
  openPooledNet(worker((method, [rows]) => (method === 'facts' ? told : predict(rows as NetRows))));

const rowsOf = (rows: number): NetRows => ({
  rows,
  inputs: [{ shape: [2], values: Float32Array.from({ length: 2 * rows }, (_, i) => i) }],
});

/** The sum of each row, three times. */
const sums = ({ rows, inputs }: NetRows): PredictedRows[] => {
  const { values } = inputs[0]!;
  return [
    {
      shape: [3],
      values: Float32Array.from({ length: 3 * rows }, (_, i) => {
        const row = Math.floor(i / 3);
        return values[2 * row]! + values[2 * row + 1]!;
      }),
    },
  ];
};

describe('a net on a worker', () => {
  it('is sent large batches in pieces, and its answers are put together', async () => {
    // Outputs of 3 MB a row: two rows fit into a piece.
    const wide = { ...facts, outputs: [{ ...facts.outputs[0]!, shape: [786_432] }] };
    const asked: number[] = [];
    const large = await net(({ rows, inputs }) => {
      asked.push(rows);
      const values = new Float32Array(rows * 786_432);
      for (let row = 0; row < rows; row++) values[row * 786_432] = inputs[0]!.values[2 * row]!;
      return [{ shape: [786_432], values }];
    }, wide);
    const [output] = await large.predict(rowsOf(5));
    expect(asked).toEqual([2, 2, 1]);
    expect([0, 1, 2, 3, 4].map((row) => output!.values[row * 786_432])).toEqual([0, 2, 4, 6, 8]);
    const small = await net(sums);
    expect(await small.predict(rowsOf(2))).toEqual([
      { shape: [3], values: Float32Array.of(1, 1, 1, 5, 5, 5) },
    ]);
  });

  const spoilt: readonly [string, (rows: NetRows) => unknown][] = [
    ['text', () => 'nonsense'],
    ['no output', () => []],
    ['an output too many', (rows) => [...sums(rows), ...sums(rows)]],
    ['null', () => [null]],
    ['a shape that its values do not have', (rows) => [{ ...sums(rows)[0]!, shape: [1e9] }]],
    ['a shape of another rank', (rows) => [{ ...sums(rows)[0]!, shape: [3, 1] }]],
    ['a size that is none', (rows) => [{ ...sums(rows)[0]!, shape: [-3] }]],
    ['values of another kind', (rows) => [{ shape: [3], values: new Int32Array(3 * rows.rows) }]],
    ['values that are no array', () => [{ shape: [3], values: [1, 2, 3] }]],
  ];
  it('is not believed when it makes much of nothing', async () => {
    const open = { ...facts, outputs: [{ ...facts.outputs[0]!, shape: [null, null] }] };
    const one = await net(() => [{ shape: [2 ** 40, 0], values: new Float32Array(0) }], open);
    await expect(one.predict(rowsOf(1))).rejects.toMatchObject({ code: 'PROGRAM_FRAME_INVALID' });
  });

  it.each(spoilt)('is not believed when it answers with %s', async (_what, predict) => {
    const one = await net(predict);
    await expect(one.predict(rowsOf(1))).rejects.toMatchObject({ code: 'PROGRAM_FRAME_INVALID' });
  });

  it('is refused when it tells no facts of a model', async () => {
    for (const told of [null, {}, { ...facts, inputs: [] }, { ...facts, outputs: [{ name: 'y' }] }])
      await expect(net(sums, told)).rejects.toMatchObject({ code: 'PROGRAM_FRAME_INVALID' });
  });
});

describe('a replica whose worker vanishes', () => {
  it('gives back at once also those requests that wait to be computed together', async () => {
    const closed = deferred<string>();
    let receive: (frame: Uint8Array) => void = () => undefined;
    const say = (message: object, value?: unknown): void =>
      queueMicrotask(() => receive(encodeProgramFrame(message, value, 'value')));
    const cluster: ProgramCluster = {
      blobs: { putBytes: () => Promise.reject(new Error('nothing is to be stored')) },
      slots: {
        slot: () =>
          Promise.resolve({
            worker: { workerId: 'w', runtime: 'browser', device: 'cpu', isOwners: false, checksPassed: 0 },
            leaving: new Promise<string>(() => undefined),
            pipe: {
              bufferedBytes: 0,
              read: () => undefined,
              closed: closed.promise,
              close: (reason) => closed.resolve(reason),
              onFrame: (next) => void (receive = next),
              send: (bytes) => {
                const frame = decodeProgramFrame(bytes, toProgram);
                const { message } = frame;
                if (message.type === 'open') say({ type: 'opened' });
                if (message.type !== 'call') return;
                expect([message.method, frameValue(frame)]).toEqual(['facts', []]);
                say({ type: 'answer', call: message.call, computeMs: 0 }, facts);
              },
            },
          }),
      },
    };
    const told: LayersFacts[] = [];
    const replica = new PoolReplica(
      'Model#1',
      cluster,
      Promise.resolve({
        program: { name: 'a net', code: { builtin: 'NeuralPredictor' }, args: [], form: 'plain' },
        attach: async (instance) =>
          new LayersProgram(await openPooledNet(instance), { batchWaitTimeoutS: 3_600 }),
      }),
      { excluded: new Set() },
      (facts) => told.push(facts),
    );
    await replica.ready;
    expect(told).toEqual([facts]);
    const errors: unknown[] = [];
    for (const body of ['[[1, 2]]', '[[3, 4]]'])
      replica.call('http', [body], (error) => void errors.push(error));
    closed.resolve('the tab was closed');
    expect(await replica.ended).toMatch(/the tab was closed/);
    expect(errors).toHaveLength(2);
    for (const error of errors) expect(error).toMatchObject({ code: 'SERVE_REPLICA_LOST' });
  });
});
