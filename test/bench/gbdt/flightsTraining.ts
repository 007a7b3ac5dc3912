// The training that is timed: the flights of examples/flights, prepared as a run prepares them, and the same rows as
// real XGBoost takes them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveColumns } from '../../../coordinator/config/deriveColumns.ts';
import { loadConfig } from '../../../coordinator/config/loadConfig.ts';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import type { PreparedFeature } from '../../../coordinator/train/gbdt/trainingData.ts';
import { prepareTraining } from '../../../coordinator/train/gbdt/prepareTraining.ts';
import type { BinnedBlock } from '../../../kernels/gbdt/treeDevice.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { binnedBlock } from '../../../shared/gbdt/binnedBlock.ts';
import { decodeShard } from '../../../shared/gbdt/shardCodec.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import { memoryBlobs } from '../../coordinator/train/memoryBlobs.ts';
import type { OracleData } from '../../oracle/xgboost.ts';

export const BENCH_PARAMS = {
  objective: 'binary:logistic',
  max_depth: 6,
  eta: 0.3,
  base_score: 0.5,
} as const;
/** The same for real XGBoost, which wants no metric unless asked. */
export const ORACLE_PARAMS = { ...BENCH_PARAMS, disable_default_eval_metric: 1 } as const;

const LABEL = 'is_late';

export interface FlightsTraining {
  readonly spec: TrainSpec;
  readonly blocks: readonly BinnedBlock[];
  readonly oracle: OracleData;
  readonly rows: number;
}

/** The first `rows` flights with the columns of examples/flights/flights.yaml. */
export async function flightsDataset(rows: number): Promise<Dataset> {
  const config = await loadConfig('examples/flights/flights.yaml', process.cwd());
  return deriveColumns(readParquet(config.data.train).limit(rows), config);
}

/** Prepares the dataset without evaluation sets, so that no metric is computed in rounds. */
export async function prepareFlights(dataset: Dataset, rounds: number): Promise<FlightsTraining> {
  const tempFolder = await mkdtemp(join(tmpdir(), 'tabgrad-bench-'));
  try {
    const blobs = memoryBlobs();
    const prepared = await prepareTraining({
      datasets: { train: dataset },
      labelColumn: LABEL,
      params: resolveParams(BENCH_PARAMS),
      numBoostRound: rounds,
      blobs,
      tempFolder,
    });
    const blocks = prepared.shards.map(({ sha256 }) =>
      binnedBlock(decodeShard(blobs.get(sha256)), prepared.spec),
    );
    const rows = prepared.rows['train'] ?? 0;
    const oracle = await oracleColumns(dataset, prepared.features, rows);
    return { spec: { ...prepared.spec, evaluationSets: [] }, blocks, oracle, rows };
  } finally {
    await rm(tempFolder, { recursive: true, force: true });
  }
}

/** Numbers as they are, categories by the codes that preparation gave them. */
async function oracleColumns(
  dataset: Dataset,
  features: readonly PreparedFeature[],
  rows: number,
): Promise<OracleData> {
  const columns = features.map(() => new Float32Array(rows).fill(NaN));
  const labels = new Float32Array(rows);
  const codes = features.map(({ categories }) => new Map(categories?.map((name, code) => [name, code])));
  for await (const batch of dataset.streamColumns([...features.map(({ name }) => name), LABEL])) {
    batch.columns.forEach((column, f) => {
      const target = columns[f] ?? labels;
      if (column.kind === 'numeric') {
        for (let row = 0; row < batch.rows; row += 1) {
          if (column.valid?.[row] !== 0) target[batch.firstRow + row] = column.values[row] ?? NaN;
        }
        return;
      }
      const mapping = column.dictionary.map((name) => codes[f]?.get(name) ?? NaN);
      for (let row = 0; row < batch.rows; row += 1) {
        target[batch.firstRow + row] = mapping[column.codes[row] ?? -1] ?? NaN;
      }
    });
  }
  return { columns, labels, categorical: features.map(({ cuts }) => cuts.categorical) };
}
