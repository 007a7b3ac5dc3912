// Ray Train's DataParallelTrainer: an owner's own loop, run by every worker of a group with its share of the data.

import { randomUUID } from 'node:crypto';
import { unpackFiles, packFiles } from '../../../shared/neural/loop/packedFiles.ts';
import type { LoopCode, LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { providedTfjs } from '../../../shared/neural/loop/providedTfjs.ts';
import type { TensorDataset } from '../../../shared/neural/run/neuralSpec.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import { withInterrupt } from '../../progress/withInterrupt.ts';
import type { Bundle } from '../../program/bundle.ts';
import { bundleModule, type ModuleExport } from '../../program/bundleModule.ts';
import type { RunRequest } from '../../core/run/runRequest.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { openCluster } from '../../cluster/openCluster.ts';
import type { FitOptions } from '../gbdt/gbdtTrainer.ts';
import { failedRecord, resultRecord, type RecordedRun, type RunClock } from '../gbdt/resultRecord.ts';
import { demandOf, followRun } from '../followRun.ts';
import { RunFolder } from '../record/runFolder.ts';
import { notifyOwner } from '../../options/tellOwner.ts';
import type { Result } from '../result.ts';
import { shardsOf } from './shardsOf.ts';
import { StateRecorder } from './stateRecorder.ts';
import { tfjsNames } from '../../checkpoint/tfjsThread/askTfjs.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { resolveLoop, type DataParallelTrainerOptions, type LoopSettings } from './loopOptions.ts';
import { prepareColumns } from './prepareColumns.ts';

export interface DataParallelResult extends Omit<Result, 'checkpoint' | 'checkpoints'> {
  /** The last one; undefined when the loop reported none. */
  readonly checkpoint: DataParallelCheckpoint | undefined;
  readonly checkpoints: readonly DataParallelCheckpoint[];
}

/** What a trainer needs of the world; tests replace it. */
export interface LoopWorld {
  openCluster(settings: LoopSettings, signal: AbortSignal): Promise<Cluster>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

const realWorld: LoopWorld = { openCluster, now: () => performance.now() };

/** Filled in as the run goes on. */
interface Facts {
  readonly runId: string;
  readonly settings: LoopSettings;
  rows: Readonly<Record<string, number>>;
  recorder?: StateRecorder;
}

export class DataParallelTrainer {
  readonly #settings: LoopSettings;
  readonly #world: LoopWorld;

  /** @throws TrainArgumentError: all that needs neither data nor bundling is checked here. */
  constructor(options: DataParallelTrainerOptions, world: LoopWorld = realWorld) {
    this.#settings = resolveLoop(options);
    this.#world = world;
  }

  get options(): DataParallelTrainerOptions {
    return this.#settings.options;
  }

  /**
   * Prepares the data, runs the loop, and leaves the run's folder. Without a signal of the caller's, Ctrl-C calls the run
   * off.
   * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
   * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
   * is to overwrite.
   */
  fit({ signal }: FitOptions = {}): Promise<DataParallelResult> {
    return withInterrupt(signal, (interruptible) => this.#run(interruptible));
  }

  async #run(signal: AbortSignal): Promise<DataParallelResult> {
    const settings = this.#settings;
    const { resumeFromCheckpoint: from } = settings.options;
    const facts: Facts = { runId: randomUUID(), settings, rows: {} };
    const clock: RunClock = { now: () => this.#world.now(), startedAt: this.#world.now() };
    const start = { overwrite: settings.overwrite, resumedFrom: from };
    const folder = await RunFolder.open(settings.folder, settings.checkpoints, start);
    let cluster: Cluster | undefined;
    try {
      const resumed = typeof from === 'string' ? new DataParallelCheckpoint(from) : from;
      const bundle = settings.code.kind === 'module' ? await bundleLoop(settings.code.target) : undefined;
      cluster = await this.#world.openCluster(settings, signal);
      const code = bundle && {
        kind: 'module' as const,
        bundle: await cluster.blobs.putBytes(bundle.bytes),
        exportName: bundle.exportName,
      };
      const spec = await this.#spec(cluster, code ?? (settings.code as LoopCode), resumed, facts, signal);
      clock.preparedAt = clock.now();
      return await this.#follow(cluster, spec, folder, facts, clock, signal);
    } catch (error) {
      await folder.writeResult(failedRecord(error, folder, recorded(facts), clock)).catch(() => undefined);
      throw error;
    } finally {
      await cluster?.close();
    }
  }

  async #spec(
    { blobs }: Cluster,
    code: LoopCode,
    resumed: DataParallelCheckpoint | undefined,
    facts: Facts,
    signal: AbortSignal,
  ): Promise<LoopSpec> {
    const { config, datasets, seed, timeoutMs, maxReports } = this.#settings;
    const prepared: [string, TensorDataset][] = [];
    let rowsDone = 0;
    const onProgress = (rows: number): void => this.#notify({ type: 'preparing', rows: (rowsDone += rows) });
    for (const [name, data] of Object.entries(datasets)) {
      prepared.push([name, await prepareColumns(name, data, { blobs, onProgress, signal })]);
    }
    facts.rows = Object.fromEntries(prepared.map(([name, { rows }]) => [name, rows]));
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

  async #follow(
    cluster: Cluster,
    spec: LoopSpec,
    folder: RunFolder,
    facts: Facts,
    clock: RunClock,
    signal: AbortSignal,
  ): Promise<DataParallelResult> {
    const { runId, settings } = facts;
    const broken = new AbortController();
    const recorder = new StateRecorder({
      folder,
      // Each of the loop's checkpoints is one that the owner asked for.
      checkpointFrequency: 1,
      readState: (saved) => cluster.readBlob(saved),
      filesOf: (packed) => {
        const { 'model.json': model, ...beside } = Object.fromEntries(unpackFiles(packed));
        const isEmpty = model === undefined && Object.keys(beside).length === 0;
        return isEmpty ? undefined : { modelText: model && new TextDecoder().decode(model), beside };
      },
      onCheckpoint: () => undefined,
      onFailure: (error) => broken.abort(error),
      now: clock.now,
    });
    facts.recorder = recorder;
    const request: RunRequest = {
      runId,
      name: settings.name,
      spec,
      shards: Object.entries(spec.datasets).flatMap(([name, dataset]) => shardsOf(name, dataset)),
      workers: demandOf(settings, settings.options.scalingConfig),
      maxFailures: settings.maxFailures,
    };
    const notify = (event: ProgressEvent): void => this.#notify(event);
    const { status } = await followRun({ cluster, request, recorder, broken, signal, notify });
    const record = resultRecord(status, folder, recorded(facts), clock);
    await folder.writeResult(record);
    const checkpoints = folder.savedPaths().map((path) => new DataParallelCheckpoint(path));
    const { metricsTable } = recorder;
    return { ...record, path: folder.path, checkpoint: checkpoints.at(-1), checkpoints, metricsTable };
  }

  #notify(event: ProgressEvent): void {
    notifyOwner(this.#settings.options.runConfig, event);
  }
}

async function bundleLoop(target: ModuleExport): Promise<Bundle> {
  return bundleModule(target, { '@tensorflow/tfjs': providedTfjs(await tfjsNames()) });
}

function recorded({ runId, settings, rows, recorder }: Facts): RecordedRun {
  const { name, config, seed, maxReports } = settings;
  return {
    runId,
    settings: { name, numBoostRound: maxReports, params: { trainLoopConfig: config, seed } },
    prepared: { rows, warnings: [] },
    ...(recorder && { recorder }),
  };
}
