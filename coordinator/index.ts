// The owner's API: what `import … from 'tabgrad'` gives. Names are Ray's, in camelCase; XGBoost's parameters keep theirs.

export type { ConsumeOptions } from './data/consumeOptions.ts';
export { Dataset, type IterBatchesOptions, type SplitOptions } from './data/dataset.ts';
export type { MapBatchesOptions } from './data/operators/mapBatches.ts';
export type { PoolChecks, PoolStatus } from './data/operators/poolStatus.ts';
export type { ModuleExport } from './program/bundleModule.ts';
export type { CarriedCheckpoint } from '../shared/program/carriedCheckpoint.ts';
export type { Columns } from '../shared/columns/batchFormats.ts';
export type { Row } from '../shared/columns/valuesOf.ts';
export { fromArrow, fromItems } from './data/fromMemory.ts';
export { readArrow, readCsv, readJson } from './data/readFiles.ts';
export { readParquet } from './data/readParquet.ts';
export type {
  ReadArrowOptions,
  ReadCsvOptions,
  ReadParquetOptions,
  ReadTextOptions,
} from './data/readOptions.ts';
export type { AttachOptions } from './train/run/attachRun.ts';
export { NeuralTrainer } from './train/neural/neuralTrainer.ts';
export type { NeuralResult } from './train/neural/netRecording.ts';
export { NeuralPredictor, type NeuralPredictorOptions } from './predict/neuralPredictor.ts';
export { NeuralCheckpoint } from './checkpoint/neuralCheckpoint.ts';
export type { NeuralTrainerOptions } from './train/neural/neuralOptions.ts';
export type { OptimizerOptions, ScheduleOptions } from './train/neural/optimizerOptions.ts';
export { DataParallelTrainer } from './train/neural/dataParallelTrainer.ts';
export type { DataParallelResult } from './train/neural/loopRecording.ts';
export { DataParallelCheckpoint } from './checkpoint/dataParallelCheckpoint.ts';
export type { DataParallelTrainerOptions } from './train/neural/loopOptions.ts';
export type {
  CheckpointContents,
  DataParallelContext,
  DataParallelLoop,
  DatasetShard,
  LoopCheckpoint,
} from '../shared/neural/loop/dataParallelLoop.ts';
export type { TensorColumn, TensorSet } from './train/neural/tensorSet.ts';
export { resnet18, type ResNet18Options } from '../shared/neural/model/resnet18.ts';
export { GBDTTrainer } from './train/gbdt/gbdtTrainer.ts';
export type { FitOptions } from './train/run/trainerRun.ts';
export type { GBDTTrainerOptions } from './train/gbdt/trainerOptions.ts';
export type { CheckpointConfig, RunCallback, RunConfig, ScalingConfig } from './options/runOptions.ts';
export type { ProgressEvent } from './progress/progressEvent.ts';
export { Checkpoint, type CheckpointMetadata, type ModelFormat } from './checkpoint/checkpoint.ts';
export type { DumpFormat, DumpOptions } from '../shared/gbdt/dump/dumpFormats.ts';
export type { TreeTableRow } from '../shared/gbdt/dump/treesToTable.ts';
export { plotResult, type PlottedResult } from './train/plot/plotResult.ts';
export type { GridPlotOptions, ResultPlotOptions } from './plot/plotOptions.ts';
export type { Metrics, Result, ResultRecord, RunTimings, RunWorker } from './train/result.ts';
export { GBDTPredictor, type GBDTPredictorOptions, type PredictBatch } from './predict/gbdtPredictor.ts';
export { Tuner, type TuneFitOptions } from './tune/tuner.ts';
export type { RestoreOptions } from './tune/experiment/restoreExperiment.ts';
export type {
  SchedulerChoice,
  StopRule,
  Trainable,
  TrialContext,
  TuneConfig,
  TunerOptions,
  TuneRunConfig,
} from './tune/run/tuneOptions.ts';
export type { TuneCallback, TuneEvent } from './tune/trial/tuneEvent.ts';
export { combinedStopper } from './tune/stop/combinedStopper.ts';
export {
  experimentPlateauStopper,
  type ExperimentPlateauOptions,
} from './tune/stop/experimentPlateauStopper.ts';
export { functionStopper } from './tune/stop/functionStopper.ts';
export { maximumIterationStopper } from './tune/stop/maximumIterationStopper.ts';
export type { Stopper, StopReport, StopWatch } from './tune/stop/stopper.ts';
export { timeoutStopper } from './tune/stop/timeoutStopper.ts';
export { trialPlateauStopper, type TrialPlateauOptions } from './tune/stop/trialPlateauStopper.ts';
export { ResultGrid, type MetricScope, type TrialResult } from './tune/resultGrid.ts';
export {
  choice,
  gridSearch,
  loguniform,
  qloguniform,
  qrandint,
  quniform,
  randint,
  sampleFrom,
  uniform,
  type Domain,
} from './tune/space/domain.ts';
export { deployment, Serve } from './serve/serve.ts';
export type { ServeStatus } from './serve/serveStatus.ts';
export {
  Application,
  Deployment,
  type DeploymentTarget,
  type ModuleTarget,
} from './serve/deployment/deployment.ts';
export type { AutoscalingConfig, DeploymentOptions } from './core/store/deploymentSettings.ts';
export type { DeploymentHandle, HandleMethod } from './serve/replica/handle.ts';
export type { ReplicaSetStatus, ReplicaStatus } from './serve/deployment/replicaSetStatus.ts';
export { batch, type BatchOptions } from './serve/replica/batch.ts';
export type { HttpAnswer } from './serve/replica/ownerHttp.ts';
export type { ServeRequest } from '../shared/serve/serveRequest.ts';
export type { AccessEntry } from './serve/http/serveExchange.ts';
export type { RunOptions, ServeHttpOptions } from './serve/serveOptions.ts';
export { startCoordinator, type Coordinator } from './core/server/coordinator.ts';
export type { CoordinatorOptions } from './core/server/coordinatorOptions.ts';
export type { LocalWorkersOptions } from './cluster/local/localWorkersOptions.ts';
export { startLocalWorkers, type LocalWorkers } from './cluster/local/localWorkers.ts';
export type { TrainLoop, TrainLoopContext } from '../shared/gbdt/trainLoop.ts';
export { TabgradError, errorCodes, type ErrorCode, type ErrorPlace } from '../kernels/errors.ts';
