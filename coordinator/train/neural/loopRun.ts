// What an owner's own loop does of a run: code that travels, columns as tensors, and the checkpoints that it reports.

import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { LoopCode, LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { packFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { providedTfjs } from '../../../shared/neural/loop/providedTfjs.ts';
import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { tfjsNames } from '../../checkpoint/tfjsThread/askTfjs.ts';
import type { Bundle } from '../../program/bundle.ts';
import { bundleModule, type ModuleExport } from '../../program/bundleModule.ts';
import type { RunPlace, TrainerKind } from '../run/trainerKind.ts';
import type { LoopSettings } from './loopOptions.ts';
import { loopRecording, type DataParallelResult, type LoopPlan } from './loopRecording.ts';
import { prepareColumns } from './prepareColumns.ts';
import { shardsOf } from './tensorShards.ts';

interface Start {
  readonly bundle: Bundle | undefined;
  /** The checkpoint that the run goes on from. */
  readonly resumed: DataParallelCheckpoint | undefined;
}

export function loopRun(settings: LoopSettings): TrainerKind<Start, LoopPlan, DataParallelResult> {
  const { config, seed, maxReports, code, options } = settings;
  return {
    facts: { params: { trainLoopConfig: config, seed }, totalRounds: maxReports },
    async open() {
      const { resumeFromCheckpoint: from } = options;
      const resumed = typeof from === 'string' ? new DataParallelCheckpoint(from) : from;
      return { resumed, bundle: code.kind === 'module' ? await bundleLoop(code.target) : undefined };
    },
    async prepare({ bundle, resumed }, place) {
      const travelling = bundle && {
        kind: 'module' as const,
        bundle: await place.cluster.blobs.putBytes(bundle.bytes),
        exportName: bundle.exportName,
      };
      const summaries: DatasetSummary[] = [];
      const spec = await specOf(settings, travelling ?? (code as LoopCode), resumed, place, summaries);
      const sets = Object.entries(spec.datasets);
      return {
        spec,
        shards: sets.flatMap(([name, dataset]) => shardsOf(name, dataset)),
        summaries,
        plan: {},
        facts: {
          totalRounds: maxReports,
          rows: Object.fromEntries(sets.map(([name, { rows }]) => [name, rows])),
        },
      };
    },
    recording: loopRecording,
  };
}

async function specOf(
  { config, datasets, seed, timeoutMs, maxReports }: LoopSettings,
  code: LoopCode,
  resumed: DataParallelCheckpoint | undefined,
  { cluster: { blobs }, notify, signal }: RunPlace,
  summaries: DatasetSummary[],
): Promise<LoopSpec> {
  const prepared: [string, TensorDataset][] = [];
  let rowsDone = 0;
  const onProgress = (rows: number): void => notify({ type: 'preparing', rows: (rowsDone += rows) });
  const onSummary = (summary: DatasetSummary): void => void summaries.push(summary);
  for (const [name, data] of Object.entries(datasets)) {
    prepared.push([name, await prepareColumns(name, data, { blobs, onProgress, onSummary, signal })]);
  }
  return {
    trainer: 'loop',
    code,
    config,
    datasets: Object.fromEntries(prepared),
    seed,
    timeoutMs,
    maxReports,
    ...(resumed && { startingCheckpoint: await blobs.putBytes(packFiles(resumed.files())) }),
  };
}

async function bundleLoop(target: ModuleExport): Promise<Bundle> {
  return bundleModule(target, { '@tensorflow/tfjs': providedTfjs(await tfjsNames()) });
}
