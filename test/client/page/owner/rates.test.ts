import { expect, it } from 'vitest';
import { Rates } from '../../../../client/page/owner/rates.ts';
import type { RunSummary } from '../../../../shared/api/runAnswers.ts';

const run = (rounds: number, status: RunSummary['status'] = 'running'): RunSummary => ({
  runId: 'a',
  name: 'a',
  status,
  phase: 'training',
  generation: 1,
  rounds,
  totalRounds: 100,
  workers: [],
});
const traffic = (sentBytes: number, receivedBytes: number) => ({ api: { sentBytes, receivedBytes } });

it('tells rounds a second over the last looks, of runs that go on', () => {
  const rates = new Rates();
  rates.add({ runs: [run(10)], traffic: traffic(0, 0) }, 0);
  expect(rates.roundsPerSecond('a')).toBeUndefined();
  for (let i = 1; i <= 30; i++) rates.add({ runs: [run(10 + i * (i > 20 ? 4 : 1))], traffic: {} }, i * 2000);
  expect(rates.roundsPerSecond('a')).toBe((4 * 30 - 4 * 21) / 18);
  expect(rates.roundsPerSecond('b')).toBeUndefined();
});

it('tells bytes a second between looks, and begins anew with the coordinator', () => {
  const rates = new Rates();
  expect(rates.traffic('sentBytes')).toEqual([]);
  rates.add(
    { runs: [], traffic: { ...traffic(1000, 50), page: { sentBytes: 500, receivedBytes: 0 } } },
    1000,
  );
  rates.add({ runs: [], traffic: traffic(2000, 50) }, 3000);
  rates.add({ runs: [], traffic: traffic(6000, 90) }, 5000);
  expect(rates.traffic('sentBytes')).toEqual([
    { at: -2, value: 250 },
    { at: 0, value: 2000 },
  ]);
  expect(rates.traffic('receivedBytes')).toEqual([
    { at: -2, value: 0 },
    { at: 0, value: 20 },
  ]);
  rates.add({ runs: [], traffic: traffic(5, 5) }, 7000);
  expect(rates.traffic('sentBytes')).toEqual([]);
});
