// What is kept of what a run machine decides.

import type { TabgradError } from '../../../kernels/errors.ts';
import type { RunFact } from './runRecord.ts';
import type { CommittedRound, RunEvent, RunOutcome, Shard } from './runRequest.ts';
import type { Member } from './runState.ts';

export function roundFacts(rounds: readonly CommittedRound[]): RunFact[] {
  return rounds.map((committed) => ({ type: 'round', committed }));
}

/** How far loading has come is of no interest later. */
export function eventFacts(event: RunEvent): RunFact[] {
  if (event.type === 'loading') return [];
  if (event.type === 'undone')
    return [
      { type: 'undone', rounds: event.rounds },
      { type: 'event', event },
    ];
  if (event.type !== 'round') return [{ type: 'event', event }];
  const { round, metrics } = event.committed;
  return [{ type: 'event', event: { type: 'round', round, metrics, timings: event.timings } }];
}

export function groupFact(generation: number, members: readonly Member[], shards: readonly Shard[]): RunFact {
  const positions = new Map(shards.map((shard, position) => [`${shard.dataset}/${shard.index}`, position]));
  return {
    type: 'group',
    generation,
    members: members.map(({ workerId, peerId, isOwners, leases }) => ({
      workerId,
      peerId,
      ...(!isOwners && { isStranger: true as const }),
      shards: leases.map(({ dataset, index }) => positions.get(`${dataset}/${index}`) ?? -1),
    })),
  };
}

export function endFacts(result: RunOutcome | Error): RunFact[] {
  if (!(result instanceof Error)) {
    const { status } = result;
    return [
      { type: 'event', event: { type: 'end', status } },
      { type: 'end', status },
    ];
  }
  const { code = 'INTERNAL' } = result as Partial<TabgradError>;
  const end = { type: 'end', status: 'failed', error: { code, message: result.message } } as const;
  return [{ type: 'event', event: end }, end];
}
