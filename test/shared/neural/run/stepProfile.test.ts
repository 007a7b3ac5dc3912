// The profile of a step, as one worker alone tells of it.

import { describe, expect, it } from 'vitest';
import { readStepProfile } from '../../../../shared/neural/run/stepProfile.ts';

const op = { name: 'matMul', layer: 'dense', phase: 'forward', startNs: 0, endNs: 5, flop: 2, bytes: 8 };
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('The profile of a step', () => {
  it('is read with names that are harmless on a terminal', () => {
    const profile = { step: 3, ops: [{ ...op, name: 'mat\u001b]0;x\u0007Mul' }], timeline: [] };
    expect(readStepProfile(bytes(profile)).ops).toEqual([{ ...op, name: 'mat\\u001b]0;x\\u0007Mul' }]);
  });

  it.each([
    ['no JSON', new TextEncoder().encode('{'), 'profile: it is no JSON'],
    [
      'a million wrong entries',
      bytes({ step: 1, ops: Array(1_000_000).fill(0), timeline: [] }),
      'profile: ops: Too big',
    ],
    [
      'wrong entries',
      bytes({ step: 1, ops: Array(50_000).fill(0), timeline: [] }),
      'profile: ops.0: Invalid input',
    ],
    [
      'a long name',
      bytes({ step: 1, ops: [{ ...op, name: 'x'.repeat(2_000) }], timeline: [] }),
      'profile: ops.0.name',
    ],
  ])('that is %s is refused with a code', (_, damaged, message) => {
    expect(() => readStepProfile(damaged)).toThrow(
      expect.objectContaining({ code: 'TRAIN_SPEC_MALFORMED', message: expect.stringContaining(message) }),
    );
  });
});
