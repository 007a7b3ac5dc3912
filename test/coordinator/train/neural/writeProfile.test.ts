// The profile of a step, which one worker alone tells of.

import { expect, it } from 'vitest';
import { writeProfile } from '../../../../coordinator/train/neural/writeProfile.ts';

const op = { name: 'matMul', layer: 'dense', phase: 'forward', startNs: 0, endNs: 5, flop: 2, bytes: 8 };

async function written(text: string) {
  const files: string[] = [];
  const warnings: string[] = [];
  const folder = { writeBeside: async (name: string) => void files.push(name) };
  const table = await writeProfile(new TextEncoder().encode(text), folder, (one) => void warnings.push(one));
  return { files, warnings, table };
}

it('is a table and two files', async () => {
  const { files, warnings, table } = await written(JSON.stringify({ step: 1, ops: [op], timeline: [] }));
  expect([files, warnings]).toEqual([['profile.json', 'timeline.json'], []]);
  expect(table).toContain('matMul');
});

it('is left out with a warning where it is damaged: the run is as good without it', async () => {
  expect(await written('{"step": "x"}')).toEqual({
    files: [],
    warnings: [expect.stringMatching(/^There is no profile of the last step: profile: step: /)],
    table: undefined,
  });
});
