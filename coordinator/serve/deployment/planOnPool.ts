// How a deployment's replicas are made on workers of the pool. What can be wrong comes out before any worker is asked for.

import { checkedLayersFiles, isLayersModel, readLayersFolder } from '../../checkpoint/layersFolder.ts';
import type { ProgramCluster } from '../../cluster/cluster.ts';
import { describeTrees } from '../replica/describeTrees.ts';
import type { ModelDescription } from '../replica/modelDescription.ts';
import { classOnPool, layersOnPool, treesOnPool } from '../replica/poolPrograms.ts';
import { PoolReplica, type OpenDemand, type PoolProgram } from '../replica/poolReplica.ts';
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
  pool: ProgramCluster | undefined,
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
    if (isLayersModel(modelText)) return planPoolLayers(name, settings, bound, pool);
    const options = readTreeOptions(bound.options);
    const rows = new TreeProgram(modelText, options);
    const model = { ...describeTrees(modelText, options), small: undefined };
    return planned(Promise.resolve(treesOnPool(modelText, rows)), model);
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
  pool: ProgramCluster,
): PlannedDeployment {
  const options = readLayersOptions(given);
  const device = settings.device ?? options.device;
  if (options.device !== undefined && options.device !== device) {
    throw new ServeArgumentError(
      `Deployment "${name}" asks for ${device} workers and is bound to compute on ${options.device}; give one of the two.`,
      { field: 'device' },
    );
  }
  const files = readLayersFolder(checkpoint);
  checkedLayersFiles(files, checkpoint);
  const service = Promise.resolve(layersOnPool(files, { ...options, ...(device && { device }) }));
  const demand = demandOf({ ...settings, device });
  return planLearning(
    name,
    settings,
    (id, _caller, onFacts) => new PoolReplica(id, pool, service, demand, onFacts),
  );
}

function demandOf({ runtime, device, startTimeoutS }: DeploymentSettings): OpenDemand {
  return { runtime, device, openTimeoutMs: startTimeoutS * 1_000, excluded: new Set() };
}

function hasHandle(value: unknown): boolean {
  if (value instanceof HandleMark) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasHandle);
}
