// How a deployment's replicas are made on workers of the pool. What can be wrong comes out before any worker is asked for.

import type { LayersFacts, NetRows, PredictedRows } from '../../../shared/serve/layersNet.ts';
import { checkedLayersFiles, isLayersModel, readLayersFolder } from '../../checkpoint/layersFolder.ts';
import type { CheckingCluster } from '../../cluster/cluster.ts';
import type { Log } from '../../log/log.ts';
import { describeTrees } from '../replica/describeTrees.ts';
import type { ModelDescription } from '../replica/modelDescription.ts';
import { compareNets, compareTrees } from '../replica/compareRows.ts';
import { classOnPool, layersOnPool, treesOnPool, type TreeRows } from '../replica/poolPrograms.ts';
import { PoolReplica, type OpenDemand, type PoolProgram } from '../replica/poolReplica.ts';
import { ReplicaChecks } from '../replica/replicaChecks.ts';
import { ThreadReplica } from '../replica/threadReplica.ts';
import { TreeProgram } from '../replica/treeProgram.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import { boundCheckpoint, moduleAddress, type Application, type BoundCheckpoint } from './deployment.ts';
import type { DeploymentSettings } from '../../core/store/deploymentSettings.ts';
import { HandleMark } from '../replica/handle.ts';
import { planLearning, type PlannedDeployment } from './plannedDeployment.ts';
import { readLayersOptions, readTreeOptions } from '../replica/predictorOptions.ts';

/** @throws ServeArgumentError, CheckpointError, ModelFormatError, ModelUnsupportedError */
export function planOnPool(
  name: string,
  node: Application,
  args: readonly unknown[],
  pool: CheckingCluster | undefined,
  log: Log,
): PlannedDeployment {
  const { settings, target } = node.deployment;
  if (!pool) {
    throw new ServeArgumentError(
      `Deployment "${name}" runs on the pool, which a server has with new Serve({ coordinator }).`,
      { field: 'runOn' },
    );
  }
  const demand = demandOf(settings);
  const planned = (service: Promise<PoolProgram>, model?: ModelDescription): PlannedDeployment => {
    // Each replica tells it when it is not there.
    service.catch(() => undefined);
    return { name, settings, model, makeReplica: (id) => new PoolReplica(id, pool, service, demand) };
  };
  const bound = boundCheckpoint(node);
  if (bound) {
    const modelText = bound.checkpoint.modelText();
    if (isLayersModel(modelText)) return planPoolLayers(name, settings, bound, pool, log);
    const options = readTreeOptions(bound.options);
    const rows = new TreeProgram(modelText, options);
    const model = { ...describeTrees(modelText, options), trees: undefined, small: undefined };
    const checks = new ReplicaChecks<TreeRows, Float32Array>({
      deployment: name,
      results: pool.checkResults,
      log,
      openHere: () => new ThreadReplica(`${name}#check`, { kind: 'tree', modelText, options }, callsNobody),
      argsOf: ({ columns, rows: length }) => [columns, length],
      compare: (said, right) => compareTrees(said, right, rows.outputs),
    });
    const service = Promise.resolve(treesOnPool(modelText, rows, checks));
    return { ...planned(service, model), checks: checks.counts };
  }
  const address = moduleAddress(target);
  if (!address) {
    throw new ServeArgumentError(
      `Deployment "${name}" is a class given as a value; workers of the pool need its module: deployment({ module, export }).`,
      { field: 'runOn' },
    );
  }
  if (hasHandle(args)) {
    throw new ServeArgumentError(
      `Deployment "${name}" is bound to another one, which replicas on the pool can not call.`,
      { field: 'runOn' },
    );
  }
  return planned(classOnPool(name, address, args));
}

/** The deployment's device chooses workers, and what they compute on; without it any worker computes as in threads. */
function planPoolLayers(
  name: string,
  settings: DeploymentSettings,
  { checkpoint, options: given }: BoundCheckpoint,
  pool: CheckingCluster,
  log: Log,
): PlannedDeployment {
  const options = readLayersOptions(given);
  const device = settings.device ?? options.device;
  if (options.device !== undefined && options.device !== device) {
    throw new ServeArgumentError(
      `Deployment "${name}" asks for ${device} workers and is bound to compute on ${options.device}; give one of the two.`,
      { field: 'device' },
    );
  }
  const carried = readLayersFolder(checkpoint);
  const files = checkedLayersFiles(carried, checkpoint);
  const checks = new ReplicaChecks<NetRows, readonly PredictedRows[]>({
    deployment: name,
    results: pool.checkResults,
    log,
    // On the processor: the server's machine need not have an adapter.
    openHere: () =>
      new ThreadReplica(`${name}#check`, { kind: 'layers', files, options: { device: 'cpu' } }, callsNobody),
    argsOf: (rows) => [rows],
    compare: compareNets,
  });
  const service = Promise.resolve(layersOnPool(carried, { ...options, ...(device && { device }) }, checks));
  const demand = demandOf({ ...settings, device });
  const make = (id: string, _caller: unknown, onFacts: (facts: LayersFacts) => void): PoolReplica =>
    new PoolReplica(id, pool, service, demand, onFacts);
  return planLearning(name, settings, make, checks.counts);
}

function demandOf({ runtime, device, startTimeoutS }: DeploymentSettings): OpenDemand {
  return { runtime, device, openTimeoutMs: startTimeoutS * 1_000, excluded: new Set() };
}

const callsNobody = (): Promise<never> => Promise.reject(new Error('A model calls no deployment.'));

function hasHandle(value: unknown): boolean {
  if (value instanceof HandleMark) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasHandle);
}
