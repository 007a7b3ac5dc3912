// The rounds of one generation at one member, until the last round, the halt that the coordinator asked for, or an
// error: by the plain loop, or by the owner's own.

import { z } from 'zod';
import { AbortedError } from '../../kernels/errors.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';
import { roundParameters } from '../../shared/gbdt/trainLoop.ts';
import type { TrainLoopSpec } from '../../shared/gbdt/trainLoop.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { callLoop, readAsk } from '../ownerLoop/callLoop.ts';
import type { RoundsPlace } from '../ownerLoop/loopMessages.ts';
import type { AnswerLoop } from '../ownerLoop/loopThread.ts';
import { TrainLoopError } from '../memberRun/errors.ts';
import type { MadeRound } from './roundsLoop.ts';
import type { RoundContext } from './roundStep.ts';
import { RoundStep } from './roundStep.ts';
import { shareRows } from './shareRows.ts';

/**
 * Resolves when the last round is committed, the halt is reached, or the owner's loop has returned.
 * @param groupLeases what each rank leases, where the coordinator says it.
 */
export async function trainRounds(
  context: RoundContext,
  groupLeases: readonly (readonly Lease[])[],
): Promise<void> {
  const { data, signal } = context;
  const holdsAll = await shareRows(data, groupLeases, signal);
  if (!holdsAll) data.fillSpares(signal);
  const step = new RoundStep(context, holdsAll);
  const { trainLoop } = context.data.spec;
  if (trainLoop) return runOwnerLoop(context, step, trainLoop);
  while (!step.isOver) await step.make(context.data.spec);
}

/** Thrown into the owner's loop to end it where the generation ends; it is not passed on. */
class GenerationOver extends AbortedError {}

async function runOwnerLoop(context: RoundContext, step: RoundStep, spec: TrainLoopSpec): Promise<void> {
  const { data, environment, generation, signal } = context;
  if (!environment.openLoop) {
    throw new TrainLoopError(
      'this worker does not run code of owners; start it with "tabgrad worker --allow-code", or train without trainLoopPerWorker',
    );
  }
  const thread = environment.openLoop('rounds', { kind: 'text', source: spec.source });
  try {
    const answer = roundAnswers(context, step);
    const failure = await callLoop(thread, { config: spec.config, place: placeOf(context), answer, signal });
    if (failure instanceof GenerationOver) return;
    if (failure !== undefined) throw failure;
  } finally {
    void thread.end();
  }
  environment.send({ type: 'finished', runId: data.runId, generation, rounds: data.committed.length });
}

const boostAsk = z.object({ op: z.literal('boost'), params: z.record(z.string(), z.unknown()) });

/** Makes the rounds that a loop asks for, one at a time. */
function roundAnswers({ data }: RoundContext, step: RoundStep): AnswerLoop {
  let isMaking = false;
  return async (what) => {
    const { params } = readAsk(boostAsk, what);
    if (isMaking) throw new TrainLoopError('boost was called again before its round was made');
    if (step.isOver) throw new GenerationOver('this generation has no further round');
    const resolved = resolveParams({ ...data.spec.params, ...params });
    checkRoundParams(params);
    isMaking = true;
    const metrics = await step.make({ ...data.spec, params: resolved });
    isMaking = false;
    return { value: { round: data.committed.length, metrics } satisfies MadeRound };
  };
}

/** The others are built into the device and the prepared data. The loop is plain JavaScript: its types are gone. */
function checkRoundParams(params: Readonly<Record<string, unknown>>): void {
  const known: readonly string[] = roundParameters;
  const fixed = Object.keys(params).find((name) => !known.includes(name));
  if (fixed === undefined) return;
  throw new TrainLoopError(`boost takes ${known.join(', ')}; ${fixed} can't change from round to round`, {
    field: `params.${fixed}`,
  });
}

function placeOf({ data, rank, members }: RoundContext): RoundsPlace {
  return {
    rank,
    size: members.length,
    numBoostRound: data.spec.numBoostRound,
    datasetRows: Object.fromEntries(data.datasetNames.map((name) => [name, data.leasedRows(name)])),
    round: data.committed.length,
    metrics: data.committed.at(-1)?.metrics,
  };
}
