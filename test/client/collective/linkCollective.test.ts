import { describe } from 'vitest';
import { collectiveContract } from './collectiveContract.ts';
import { memoryGroup } from './memoryGroup.ts';

const closing = (group: ReturnType<typeof memoryGroup>) => ({
  collectives: group.collectives,
  close: () => {
    for (const links of group.links) for (const link of links.values()) link.close('the test is over');
  },
});

describe('collectives over memory links, direct', () => {
  collectiveContract((size) => closing(memoryGroup(size)), {
    groupSizes: [1, 2, 3, 4, 5],
    lengths: [0, 1, 63, 64, 65, 257, 300_000],
  });
});

describe('collectives over memory links, along a chain with small messages', () => {
  collectiveContract(
    (size) => closing(memoryGroup(size, { maxMessageBytes: 16 * 1024 }, { allReduceAlgorithm: 'chain' })),
    { groupSizes: [1, 2, 5], lengths: [0, 1, 63, 64, 65, 257, 100_000] },
  );
});
