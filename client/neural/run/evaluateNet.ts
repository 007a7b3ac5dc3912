// What a net is worth on the rows that it does not learn from: their microbatches are shared out among the members.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import {
  ConfusionCounts,
  joinedConfusion,
  MAX_CONFUSION_CLASSES,
  readConfusionMatrix,
  type ConfusionMatrix,
} from '../../../shared/neural/run/confusionMatrix.ts';
import { allMicrobatches, shareOfSpeed } from '../../../shared/neural/run/stepPlan.ts';
import { RunMetrics } from './runMetrics.ts';
import type { StepLoopOptions } from './stepLoopOptions.ts';

interface EvaluationOptions {
  /** Relative speed by rank; all members have the same. */
  readonly speeds: readonly number[];
  /** Whether classes are counted, where labels are some: takes a second pass, of predictions. */
  readonly withConfusion: boolean;
}

interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly confusion?: ConfusionMatrix | undefined;
}

/** The same at all members. */
export async function evaluateNet(
  { spec, state, valid, context }: Pick<StepLoopOptions, 'context' | 'spec' | 'state' | 'valid'>,
  { speeds, withConfusion }: EvaluationOptions,
): Promise<Evaluation> {
  if (!valid || !spec.valid) return { metrics: {} };
  const { collective, rank, signal } = context;
  const countsClasses = withConfusion && spec.loss.name !== 'meanSquaredError';
  const sums = new RunMetrics(spec.metrics);
  const confusion = new ConfusionCounts(spec.loss);
  const places = allMicrobatches(spec.valid.rows, spec.microbatchSize);
  const width = spec.valid.target.shape.at(-1) ?? 1;
  const [from, to] = shareOfSpeed(places.length, speeds, rank);
  for (let at = from; at < to; at++) {
    const batch = await valid.read(places[at]!, 0, signal);
    sums.add(await state.engine.evaluate(batch));
    if (!countsClasses) continue;
    const outputs = await state.engine.predict(batch.inputs, batch.examples);
    confusion.add(outputs, batch.targets, width);
  }
  const metrics = await sums.take('valid', collective, signal);
  return countsClasses
    ? { metrics, confusion: await sumOverMembers(confusion, collective, signal) }
    : { metrics };
}

/** Members without a microbatch have counted nothing. */
async function sumOverMembers(
  { values }: ConfusionCounts,
  collective: Collective,
  signal: AbortSignal,
): Promise<ConfusionMatrix | undefined> {
  const own = new Uint8Array(values.slice().buffer);
  const gathered = await collective.allGather(own, { signal, maxBytes: 8 * MAX_CONFUSION_CLASSES ** 2 });
  const parts = gathered.map((bytes, rank) =>
    readFromPeer(collective, rank, () => new Float64Array(bytes.slice().buffer)),
  );
  return readConfusionMatrix(joinedConfusion(parts));
}
