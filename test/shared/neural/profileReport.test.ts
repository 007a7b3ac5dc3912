import { expect, it } from 'vitest';
import { createTrainingEngine } from '../../../shared/neural/engine/createTrainingEngine.ts';
import { profileTable, profileTrace } from '../../../shared/neural/engine/profileReport.ts';
import { drawBatch } from './netData.ts';
import { netCases } from './nets.ts';

it('tells of every op of a step where it went, in a table and in a trace', async () => {
  const { spec } = netCases[0]!;
  let ms = 0;
  const engine = await createTrainingEngine(spec, { device: 'cpu', clock: () => (ms += 0.5) });
  await engine.accumulate(drawBatch(spec, 4, 1), { isLast: true });
  engine.update({ learningRate: 0.1, step: 0, examples: 4, microbatches: 1 });
  const entries = await engine.profile();
  expect(new Set(entries.map(({ phase }) => phase))).toEqual(new Set(['forward', 'backward', 'update']));
  const [head, first] = profileTable(entries).split('\n');
  expect(head).toContain('GFLOP/s');
  expect(first).toMatch(/^ +\d+\.\d % +\d+\.\d{3} +\d+ /);
  const { traceEvents } = JSON.parse(profileTrace(entries)) as { traceEvents: { ts: number; dur: number }[] };
  expect(traceEvents.length).toBe(entries.length);
  expect(traceEvents[0]).toMatchObject({ ph: 'X', ts: 0, dur: 500, cat: 'forward' });
  expect(await engine.profile()).toEqual([]);
  await engine.close();
});
