// What a member may say instead of the truth, in simulations. It takes part in the rounds as all others do; only what it
// tells the coordinator is wrong.

import type { WorkerMessage, WorkerMessageOf } from '../../shared/protocol/control.ts';
import type { RandomChoices } from './randomChoices.ts';
import { treeOf, treesSha256 } from './simulatedTree.ts';

/** What is said in place of a message. */
export type Lie = (message: WorkerMessage, random: RandomChoices) => readonly WorkerMessage[];

const forgedTree = treeOf('f'.repeat(16));

const only =
  <T extends WorkerMessage['type']>(
    type: T,
    say: (message: WorkerMessageOf<T>, random: RandomChoices) => WorkerMessage[],
  ): Lie =>
  (message, random) =>
    message.type === type ? say(message as WorkerMessageOf<T>, random) : [message];

function forged(message: WorkerMessageOf<'committed'>): WorkerMessage {
  const trees = [forgedTree];
  return { ...message, payloadSha256: treesSha256(trees), ...(message.payload && { payload: trees }) };
}

export const lies = {
  'forges trees': (message) => {
    if (message.type === 'committed') return [forged(message)];
    if (message.type !== 'halted') return [message];
    return [{ ...message, rounds: message.rounds.map((round) => ({ ...round, payload: [forgedTree] })) }];
  },
  'forges trees now and then': only('committed', (message, random) => [
    random.chance(0.1) ? forged(message) : message,
  ]),
  'forges metrics': only('committed', (message) => [{ ...message, metrics: { loss: 0 } }]),
  'sends what is no tree': only('committed', (message) => [
    { ...message, payload: message.payload ? [{ forged: true }] : [] },
  ]),
  'names another hash than its trees have': only('committed', (message) => [
    { ...message, payloadSha256: 'ab'.repeat(32) },
  ]),
  'keeps its trees': only('committed', (message) => [{ ...message, payload: undefined }]),
  'says nothing of its rounds': only('committed', () => []),
  'tells of rounds far ahead': only('committed', (message) => [
    message,
    ...Array.from({ length: 40 }, (_, i) => ({ ...message, round: message.round + 1 + i })),
  ]),
  'claims more when it halts': only('halted', (message) => [
    { ...message, committedRounds: message.committedRounds + 7 },
  ]),
  'forges what it claims when it halts': (message, random) => {
    if (message.type === 'committed' && random.chance(0.2)) return [message, stalled(message, [])];
    if (message.type !== 'halted') return [message];
    const { committedRounds, rounds } = message;
    const round = committedRounds;
    return [
      {
        ...message,
        committedRounds: round + 1,
        rounds: [...rounds, { round, payload: [forgedTree], metrics: { loss: 0 } }],
      },
    ];
  },
  'can not do the run': only('ready', (message) => [
    message,
    { ...message, type: 'failed', code: 'INTERNAL', message: 'because I say so' },
  ]),
  'stops every group': only('ready', (message, random) => {
    const others = message.links.map(({ workerId }) => workerId);
    return [message, stalled(message, others.length > 0 ? [random.pick(others)] : [])];
  }),
} as const satisfies Record<string, Lie>;

function stalled(
  { runId, generation }: { readonly runId: string; readonly generation: number },
  missing: string[],
): WorkerMessage {
  return { type: 'stalled', runId, generation, missing, code: 'DEADLINE_EXCEEDED', message: 'no answer' };
}
