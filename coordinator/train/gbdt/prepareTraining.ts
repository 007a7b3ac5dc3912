// Turns datasets into what workers train on: content-addressed shards of binned rows, and the TrainSpec. Two passes with
// bounded memory, however many rows there are: the first reads, checks, summarises and spools; the second bins.

import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import type { TargetRange } from '../../../shared/gbdt/labels.ts';
import { checkContinues } from '../../../shared/gbdt/model/buildModel.ts';
import { modelRounds } from '../../../shared/gbdt/model/model.ts';
import type { GbdtParams } from '../../../shared/gbdt/params.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import type { Shard } from '../../core/run/runRequest.ts';
import { NoRowsError } from '../trainErrors.ts';
import { planColumns, type ColumnPlan, type ColumnRoles } from './columnPlan.ts';
import {
  noRows,
  spoolEvaluationSet,
  spoolTrainingSet,
  type SpooledSet,
  type SpoolSettings,
} from './spoolDataset.ts';
import { TRAIN_SET, type PreparedFeature, type StartingModel, type TrainingData } from './trainingData.ts';
import type { BlobSink } from '../../core/blobs/blobStore.ts';
import { writeShards } from './writeShards.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

export interface PrepareInput extends ColumnRoles {
  /** "train" and any number of evaluation sets, in the order in which their metrics are reported. */
  readonly datasets: Readonly<Record<string, TrainingData>>;
  readonly params: GbdtParams;
  readonly numBoostRound: number;
  readonly blobs: BlobSink;
  /** Where rows are kept between the passes. */
  readonly tempFolder: string;
  /** A model to go on from; its features and categories keep their places. */
  readonly startFrom?: StartingModel | undefined;
  /** Rows of a block that was read, of any dataset; called in the first pass, which takes longest. */
  readonly onProgress?: ((rows: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PreparedTraining {
  readonly spec: TrainSpec;
  readonly features: readonly PreparedFeature[];
  readonly shards: readonly Shard[];
  /** What the spec took from labels and weights. */
  readonly target: TargetRange;
  readonly rows: Readonly<Record<string, number>>;
  /** For the owner's coordinator. */
  readonly summaries: readonly DatasetSummary[];
  /** Things that are allowed and probably not meant, e.g. a feature with one value. */
  readonly warnings: readonly string[];
}

/**
 * The same rows give the same shards, whatever the batches they come in.
 * @throws TrainArgumentError, UnknownColumnError, ColumnUnsuitableError, NoRowsError, LabelError, WeightError,
 * CategoryError, DiskFullError, and what the datasets and the blob store throw.
 */
export async function prepareTraining(input: PrepareInput): Promise<PreparedTraining> {
  const { datasets, params, signal } = input;
  const train = datasets[TRAIN_SET];
  if (!train) {
    throw new TrainArgumentError(
      `datasets has ${Object.keys(datasets).join(', ') || 'no entry'}; expected one named "train".`,
    );
  }
  const reading = signal ? { signal } : {};
  const columns = await train.columns(reading);
  // A file that has a header alone has no types, and so no columns.
  if (columns.length === 0) throw new NoRowsError(noRows(TRAIN_SET));
  const plan = planFeatures(columns, input);
  const settings: SpoolSettings = { ...input, plan };
  const spooled: SpooledSet[] = [];
  try {
    const first = await spoolTrainingSet(train, settings);
    spooled.push(first.set);
    for (const [name, data] of Object.entries(datasets)) {
      if (name === TRAIN_SET) continue;
      const wanted = [...plan.features, plan.label, ...(plan.weight === undefined ? [] : [plan.weight])];
      const found = await data.columns(reading);
      if (found.length === 0) throw new NoRowsError(noRows(name));
      requireColumns(wanted, found, `dataset "${name}"`);
      spooled.push(await spoolEvaluationSet(name, data, settings, first.features));
    }
    const target = first.target.rangeOf(first.set.spool.rows);
    const spec: TrainSpec = {
      ...(input.startFrom && { firstRound: modelRounds(input.startFrom.model) }),
      ...buildTrainSpec({
        params,
        numBoostRound: input.numBoostRound,
        features: first.features,
        target,
        trainRows: first.set.spool.rows,
        allRows: spooled.reduce((rows, { spool }) => rows + spool.rows, 0),
        evaluationSets: spooled.map(({ name }) => name),
      }),
    };
    const shards: Shard[] = [];
    for (const set of spooled) {
      shards.push(...(await writeShards(set, { ...input, spec, features: first.features })));
      await set.spool.close();
    }
    return {
      spec,
      features: first.features,
      shards,
      target,
      rows: Object.fromEntries(spooled.map(({ name, spool }) => [name, spool.rows])),
      summaries: spooled.map(({ summary }) => summary),
      warnings: [
        ...first.warnings,
        ...first.target.warnings(spec),
        ...spooled.flatMap(({ name, classes }) => classes.warnings(name, spec)),
      ],
    };
  } finally {
    for (const { spool } of spooled) await spool.close();
  }
}

/** The columns of a run; one that goes on from a model has the model's features, in the model's order. */
function planFeatures(columns: readonly string[], input: PrepareInput): ColumnPlan {
  const plan = planColumns(columns, input, TRAIN_SET);
  if (!input.startFrom) return plan;
  const names = input.startFrom.featureNames;
  const known = new Set(names);
  const same = names.length === plan.features.length && plan.features.every((name) => known.has(name));
  const features = same ? names : plan.features;
  checkContinues(input.startFrom.model, input.params, features);
  return { ...plan, features };
}
