// The rounds of one generation at one member, until the last round, the halt that the coordinator asked for, or an
// error: by the plain loop, or by the owner's own.

import { AbortedError } from '../../shared/errors.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';
import { roundParameters } from '../../shared/gbdt/trainLoop.ts';
import type { TrainLoop, TrainLoopContext, TrainLoopSpec } from '../../shared/gbdt/trainLoop.ts';
import { TrainLoopError } from '../session/errors.ts';
import type { RoundContext } from './roundStep.ts';
import { RoundStep } from './roundStep.ts';

/** Resolves when the last round is committed, the halt is reached, or the owner's loop has returned. */
export async function trainRounds(context: RoundContext): Promise<void> {
  const step = new RoundStep(context);
  const { trainLoop } = context.data.spec;
  if (trainLoop) return runOwnerLoop(context, step, trainLoop);
  while (!step.isOver) await step.make(context.data.spec);
}

/** Thrown into the owner's loop to end it where the generation ends; nobody else sees it. */
class GenerationOver extends AbortedError {}

async function runOwnerLoop(context: RoundContext, step: RoundStep, spec: TrainLoopSpec): Promise<void> {
  const { data, environment, generation } = context;
  if (!environment.evaluateCode) {
    throw new TrainLoopError(
      'this worker does not run code of owners; start it with "tabgrad worker --allow-code", or train without trainLoopPerWorker',
    );
  }
  // What ended the generation counts, even if the loop swallowed it.
  let ended: { readonly error: unknown } | undefined;
  const boost: TrainLoopContext['boost'] = async (params = {}) => {
    if (ended) throw ended.error;
    try {
      if (step.isOver) throw new GenerationOver('this generation has no further round');
      const resolved = resolveParams({ ...data.spec.params, ...params });
      checkRoundParams(params);
      return await step.make({ ...data.spec, params: resolved });
    } catch (error) {
      ended = { error };
      throw error;
    }
  };
  try {
    const loop = environment.evaluateCode(spec.source) as TrainLoop;
    await loop(spec.config, loopContext(context, boost));
  } catch (error) {
    ended ??= { error: loopFailure(error) };
  }
  if (ended && !(ended.error instanceof GenerationOver)) throw ended.error;
  if (!ended) {
    environment.send({ type: 'finished', runId: data.runId, generation, rounds: data.committed.length });
  }
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

function loopContext(
  { data, rank, members }: RoundContext,
  boost: TrainLoopContext['boost'],
): TrainLoopContext {
  return {
    rank,
    size: members.length,
    get round() {
      return data.committed.length;
    },
    numBoostRound: data.spec.numBoostRound,
    get metrics() {
      return data.committed.at(-1)?.metrics;
    },
    datasetRows: (dataset) => data.blocks(dataset).reduce((rows, { block }) => rows + block.rows, 0),
    boost,
  };
}

function loopFailure(error: unknown): TrainLoopError {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new TrainLoopError(`trainLoopPerWorker threw: ${what.slice(0, 2000)}`, {}, { cause: error });
}
