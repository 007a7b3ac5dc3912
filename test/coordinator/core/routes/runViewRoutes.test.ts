// What the page of a run asks for, at a real coordinator: of a record that was written before, and of runs that it trains.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../../coordinator/cluster/local/localWorkers.ts';
import type { ReportedEvent } from '../../../../coordinator/core/run/runRecord.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { curvesAnswer, timelineAnswer } from '../../../../shared/api/runHistory.ts';
import {
  configAnswer,
  importanceAnswer,
  layersAnswer,
  netAnswer,
  treeAnswer,
} from '../../../../shared/api/runModel.ts';
import { featureImportance } from '../../../../shared/gbdt/model/featureImportance.ts';
import { readModel } from '../../../../shared/gbdt/model/readModel.ts';
import { recordRun, ROUND_MS } from '../../../setup/recordedRun.ts';
import { netSpec } from '../../../setup/runSpecs.ts';
import { scratchFolder } from '../../data/support/scratch.ts';

const path = scratchFolder();
const ROUNDS = 3_000;
const STARTED_AT = Date.UTC(2026, 0, 1);
const metrics = ['train-rmse', 'valid-rmse'];
const dense = (units: number, shape?: readonly (number | null)[]) => ({
  class_name: 'Dense',
  config: { name: `dense_${units}`, units, activation: 'linear', ...(shape && { batch_input_shape: shape }) },
});
const topology = {
  class_name: 'Sequential',
  config: { name: 'net', layers: [dense(8, [null, 4]), dense(1)] },
};
let coordinator: Coordinator;

beforeAll(async () => {
  const folder = path('record');
  const lost: ReportedEvent = { type: 'workerLost', workerId: 'worker-b', reason: 'left', shards: 1 };
  const saved: ReportedEvent = { type: 'checkpoint', rounds: 20, sha256: 'c'.repeat(64), sizeBytes: 5 };
  const first = await startCoordinator({ port: 0, storagePath: folder, log: () => undefined });
  await first.close();
  const store = await openStore({ folder, durable: true, onError: () => undefined });
  await recordRun(store, { runId: 'long', rounds: ROUNDS, metrics, between: new Map([[9, [lost]]]) });
  await recordRun(store, {
    runId: 'net',
    rounds: 20,
    metrics: ['loss'],
    between: new Map([[19, [saved]]]),
    request: {
      spec: netSpec(20, { topology }),
      modelParts: { topology, inputs: [{ name: 'values', scale: 2, offset: 0 }] },
    },
  });
  await store.close();
  coordinator = await startCoordinator({ port: 0, storagePath: folder, log: () => undefined });
});
afterAll(() => coordinator.close());

async function ask(
  place: string,
  token = coordinator.tokens.admin,
): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${coordinator.url}/api/v1/runs/${place}`, { headers });
  return { status: answer.status, body: await answer.json() };
}

describe('The curves of a run', () => {
  it('have as many points as were asked for, and its first, last and best values to the bit', async () => {
    const answer = curvesAnswer.parse((await ask('long/curves?points=64')).body);
    const all = curvesAnswer.parse((await ask('long/curves?points=2048')).body);
    expect(answer.curves.map(({ name }) => name)).toEqual(metrics);
    const [curve] = answer.curves;
    expect(curve!.points.length).toBeLessThanOrEqual(64);
    expect([curve!.count, curve!.first[0], curve!.last[0]]).toEqual([ROUNDS, 1, ROUNDS]);
    const values = all.curves[0]!.points.map(([, value]) => value);
    expect([curve!.lowest[1], curve!.highest[1]]).toEqual([Math.min(...values), Math.max(...values)]);
    expect(curve!.last[2]).toBe(STARTED_AT + ROUNDS * ROUND_MS);
    expect(answer.recent.at(-1)).toMatchObject({
      round: ROUNDS - 1,
      timings: [{ workerId: 'worker-a' }, {}],
    });
    // Then come the last event: its end, and what was asked for is in the stream after it.
    expect(answer.sequence).toBe(ROUNDS + 2);
  });

  it('are those of the metrics that were asked for', async () => {
    const { body } = await ask('long/curves?metric=valid-rmse&metric=none&metric=valid-rmse');
    expect(curvesAnswer.parse(body).curves.map(({ name }) => name)).toEqual(['valid-rmse']);
  });

  it.each([
    ['long/curves?points=3', 400, 'BAD_REQUEST'],
    ['long/curves?points=many', 400, 'BAD_REQUEST'],
    ['long/curves?colour=red', 400, 'BAD_REQUEST'],
    ['none/curves', 404, 'RUN_UNKNOWN'],
    ['none/timeline', 404, 'RUN_UNKNOWN'],
    ['none/config', 404, 'RUN_UNKNOWN'],
    ['long/model.json', 409, 'RUN_MODEL_UNAVAILABLE'],
    ['long/layers', 409, 'RUN_MODEL_UNAVAILABLE'],
    ['net/importance', 409, 'RUN_MODEL_UNAVAILABLE'],
  ])('%s is refused with %i', async (place, status, code) => {
    expect(await ask(place)).toMatchObject({ status, body: { error: { code } } });
  });

  it('are for the owner alone', async () => {
    for (const place of ['long/curves', 'long/config', 'long/model.json']) {
      expect((await ask(place, coordinator.tokens.join)).status).toBe(401);
    }
  });
});

describe('The timeline of a run', () => {
  it('has what happened between the rounds, with its time', async () => {
    const { events, leftOut } = timelineAnswer.parse((await ask('long/timeline')).body);
    expect(events.map(({ event, atMs }) => [event.type, atMs! - STARTED_AT])).toEqual([
      ['group', 0],
      ['workerLost', 10 * ROUND_MS],
      ['end', ROUNDS * ROUND_MS],
    ]);
    expect(leftOut).toBe(0);
  });

  it('is gone on with from the last event of the curves', async () => {
    const { sequence } = curvesAnswer.parse((await ask('long/curves')).body);
    const headers = {
      authorization: `Bearer ${coordinator.tokens.admin}`,
      'last-event-id': String(sequence),
    };
    const text = await (await fetch(`${coordinator.url}/api/v1/runs/long/events`, { headers })).text();
    expect(text).toBe(
      `id: ${sequence + 1}\nevent: end\ndata: {"type":"end","status":"finished","atMs":${STARTED_AT + ROUNDS * ROUND_MS}}\n\n`,
    );
  });
});

describe('What a run was asked for', () => {
  it('is told without shards, with its times', async () => {
    const { body } = await ask('long/config');
    expect(configAnswer.parse(body)).toMatchObject({
      trainer: 'gbdt',
      startedAtMs: STARTED_AT,
      endedAtMs: STARTED_AT + ROUNDS * ROUND_MS,
      hasModel: false,
      config: {
        totalRounds: ROUNDS,
        datasets: { train: { rows: 1_000, shards: 1, sizeBytes: 9 } },
        spec: { params: { max_depth: 6 } },
      },
    });
    expect(JSON.stringify(body)).not.toContain('a'.repeat(64));
  });

  it('tells the last state of a net', async () => {
    const { state } = configAnswer.parse((await ask('net/config')).body);
    expect(state).toEqual({ rounds: 20, sha256: 'c'.repeat(64), sizeBytes: 5 });
  });
});

describe('The net of a run', () => {
  it('has a table of layers with what comes out and parameters', async () => {
    const { layers, parameters, profiledStep } = layersAnswer.parse((await ask('net/layers')).body);
    expect(layers.map(({ name, type, shape, parameters: own }) => [name, type, shape, own])).toEqual([
      ['dense_8_input', 'input', [4], 0],
      ['dense_8', 'dense', [8], 40],
      ['dense_1', 'dense', [1], 9],
    ]);
    expect([parameters, profiledStep]).toEqual([49, undefined]);
    // A parameter and its gradient; plain SGD keeps nothing.
    expect(layers.at(-1)).toMatchObject({ stateBytes: 9 * 2 * 4, outputBytes: 4 });
  });

  it('is told with how columns became its inputs', async () => {
    expect(netAnswer.parse((await ask('net/net')).body)).toEqual({
      topology,
      inputs: [{ name: 'values', scale: 2, offset: 0 }],
    });
  });
});

describe('The model of a run of trees', () => {
  const rows = Array.from({ length: 400 }, (_, i) => ({
    size: (i % 97) / 7,
    kind: ['red', 'green', 'blue'][i % 3]!,
    y: ((i % 97) / 7) * (i % 3 === 1 ? 3 : 1),
  }));

  it('is made of the recorded rounds, byte for byte as its owner has it', async () => {
    const { url, tokens } = coordinator;
    const workers = await startLocalWorkers({
      url,
      token: tokens.local,
      count: 1,
      runtime: 'node',
      device: 'cpu',
    });
    const result = await new GBDTTrainer({
      datasets: { train: fromItems(rows) },
      labelColumn: 'y',
      params: { objective: 'reg:squarederror', max_depth: 3 },
      numBoostRound: 5,
      scalingConfig: { url, token: tokens.admin, numWorkers: 1 },
      runConfig: {
        name: 'trees',
        storagePath: path('runs'),
        verbose: 0,
        checkpointConfig: { checkpointFrequency: 2 },
      },
    })
      .fit()
      .finally(() => void workers.stop());
    const headers = { authorization: `Bearer ${tokens.admin}` };
    const get = async (place: string) =>
      (await fetch(`${url}/api/v1/runs/${result.runId}/${place}`, { headers })).text();
    const owners = readFileSync(join(result.checkpoint.path, 'model.json'), 'utf8');
    expect((await get('model.json')).trimEnd()).toBe(owners.trimEnd());
    const afterTwo = readFileSync(join(result.checkpoints[0]!.path, 'model.json'), 'utf8');
    expect((await get('model.json?rounds=2')).trimEnd()).toBe(afterTwo.trimEnd());
    expect(JSON.parse(await get('model.json?rounds=6'))).toMatchObject({ error: { code: 'NOT_FOUND' } });

    const model = readModel(owners);
    const { features, rounds } = importanceAnswer.parse(JSON.parse(await get('importance')));
    expect(rounds).toBe(5);
    for (const [key, type] of [
      ['weight', 'weight'],
      ['gain', 'gain'],
      ['totalCover', 'total_cover'],
    ] as const) {
      const told = Object.fromEntries(features.map((one) => [one.feature, one[key]]));
      expect(told).toEqual(featureImportance(model, type));
    }
    const gains = features.map(({ gain }) => gain);
    expect(gains).toEqual(gains.toSorted((a, b) => b - a));
    const tree = treeAnswer.parse(JSON.parse(await get('trees/3')));
    expect([tree.trees, tree.nodes.length]).toEqual([5, model.trees[3]!.left.length]);
    const root = tree.nodes[0]!;
    expect([root.gain, root.cover]).toEqual([model.trees[3]!.gain[0], model.trees[3]!.cover[0]]);
    const named = tree.nodes.flatMap(({ categories }) => categories ?? []);
    expect(named.every((name) => ['red', 'green', 'blue'].includes(String(name)))).toBe(true);
    const split = tree.nodes.findIndex(({ feature }) => feature === 'size');
    expect(tree.nodes[split]?.threshold).toBe(model.trees[3]!.threshold[split]);
    expect(JSON.parse(await get('trees/5'))).toMatchObject({ error: { code: 'NOT_FOUND' } });
    expect(JSON.parse(await get('trees/first'))).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });
});
