import { expect, it } from 'vitest';
import { WorkTime } from '../../../coordinator/train/record/workTime.ts';

it('time without a group is waiting, before the first one and between others', () => {
  let now = 1_000;
  const time = new WorkTime(() => now);
  const after = (ms: number, type?: string): [number, number] => {
    now += ms;
    if (type !== undefined) time.observe({ type });
    return [time.waitedMs, time.workedMs];
  };
  expect(after(0)).toEqual([0, 0]);
  expect(after(300, 'waiting')).toEqual([300, 0]);
  expect(after(200, 'group')).toEqual([500, 0]);
  expect(after(40, 'round')).toEqual([500, 40]);
  expect(after(2, 'workerLost')).toEqual([500, 42]);
  expect(after(0, 'waiting')).toEqual([500, 42]);
  expect(after(700, 'waiting')).toEqual([1200, 42]);
  expect(after(100, 'group')).toEqual([1300, 42]);
  expect(after(8, 'group')).toEqual([1300, 50]);
});
