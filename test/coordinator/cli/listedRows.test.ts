import { describe, expect, it } from 'vitest';
import { workerRow } from '../../../coordinator/cli/listedRows.ts';

type Worker = Parameters<typeof workerRow>[0];

const worker: Worker = {
  workerId: 'w-1',
  runtime: 'node',
  device: { kind: 'cpu', name: 'JavaScript' },
  present: true,
} as Worker;

describe('a worker in a table', () => {
  it.each([
    [undefined, undefined, ''],
    ['owners', 0, "owner's"],
    ['unproven', undefined, 'unproven, 0 checks'],
    ['unproven', 1, 'unproven, 1 check'],
    ['proven', 15, 'proven, 15 checks'],
  ] as const)('that is %s by %s checks has the words for it', (trust, checksPassed, words) => {
    const told = { ...worker, ...(trust && { trust }), ...(checksPassed !== undefined && { checksPassed }) };
    expect(workerRow(told as Worker).at(-1)).toBe(words);
  });
});
