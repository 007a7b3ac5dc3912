import { describe, expect, it } from 'vitest';
import { agreeOnStep, type StepWishes } from '../../../../client/neural/run/agreeOnStep.ts';
import { soloCollective } from '../../../../shared/collective/soloCollective.ts';
import { memoryGroup } from '../../collective/memoryGroup.ts';

const never = new AbortController().signal;
const nothing: StepWishes = { isReported: false, isHalted: false, keepsState: false };
const halt: StepWishes = { ...nothing, isHalted: true, keepsState: true };
const report: StepWishes = { ...nothing, isReported: true };

function agreed(...wishes: StepWishes[]): Promise<StepWishes[]> {
  const { collectives } = memoryGroup(wishes.length);
  return Promise.all(collectives.map((collective, rank) => agreeOnStep(collective, wishes[rank]!, never)));
}

describe('What members want of a step', () => {
  it('happens where most want it, the same at all', async () => {
    expect(await agreed(halt, report, halt)).toEqual([halt, halt, halt]);
    expect(await agreed(report, report)).toEqual([report, report]);
  });

  it('does not happen where one alone wants it, of whatever rank', async () => {
    for (const rank of [0, 1, 2]) {
      const wishes = [nothing, nothing, nothing].map((none, at) => (at === rank ? halt : none));
      expect(await agreed(...wishes)).toEqual([nothing, nothing, nothing]);
    }
    expect(await agreed(halt, nothing)).toEqual([nothing, nothing]);
  });

  it('is what it wants itself, where a member is alone', async () => {
    expect(await agreeOnStep(soloCollective, halt, never)).toEqual(halt);
  });

  it.each([[[]], [[8]]])('is no %j: who sends that is named', async (bytes) => {
    const [honest, liar] = memoryGroup(2).collectives;
    void liar!.allGather(Uint8Array.from(bytes), { maxBytes: 1 });
    await expect(agreeOnStep(honest!, nothing, never)).rejects.toMatchObject({
      code: 'PEER_MESSAGE_INVALID',
      peers: ['worker-1'],
    });
  });
});
