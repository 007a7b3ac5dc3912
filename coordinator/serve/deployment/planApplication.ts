// From a bound application to the deployments that make it up, each with how its replicas are made. All that can be
// wrong with arguments and checkpoints comes out here, before anything is started.

import { checkedLayersFiles, isLayersModel, readLayersFolder } from '../../checkpoint/layersFolder.ts';
import type { CheckingCluster } from '../../cluster/cluster.ts';
import type { Log } from '../../log/log.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { describeTrees } from '../replica/describeTrees.ts';
import { ClassProgram } from '../replica/classProgram.ts';
import { LocalReplica } from '../replica/localReplica.ts';
import { ThreadReplica } from '../replica/threadReplica.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import { Application, boundCheckpoint, moduleAddress } from './deployment.ts';
import type { DeploymentSettings } from '../../core/store/deploymentSettings.ts';
import { HandleMark, reviveHandles } from '../replica/handle.ts';
import { planLearning, type PlannedDeployment } from './plannedDeployment.ts';
import { planOnPool } from './planOnPool.ts';
import { readLayersOptions, readTreeOptions } from '../replica/predictorOptions.ts';

export interface ApplicationPlan {
  /** Name of the deployment that HTTP requests go to. */
  readonly ingress: string;
  /** Callees before their callers. */
  readonly deployments: readonly PlannedDeployment[];
}

/** @throws ServeArgumentError, CheckpointError, ModelFormatError, ModelUnsupportedError */
export function planApplication(application: Application, log: Log, pool?: CheckingCluster): ApplicationPlan {
  const deployments: PlannedDeployment[] = [];
  const names = new Map<Application, string>();

  const visit = (node: Application): string => {
    const known = names.get(node);
    if (known !== undefined) return known;
    const args = node.args.map((arg) => markHandles(arg, visit));
    let { name } = node.deployment;
    for (let i = 1; deployments.some((other) => other.name === name); i++)
      name = `${node.deployment.name}_${i}`;
    names.set(node, name);
    deployments.push(
      node.deployment.settings.runOn === 'pool'
        ? planOnPool(name, node, args, pool, log)
        : planDeployment(name, node, args),
    );
    return name;
  };
  return { ingress: visit(application), deployments };
}

function markHandles(value: unknown, nameOf: (application: Application) => string): unknown {
  if (value instanceof Application) return new HandleMark(nameOf(value));
  if (Array.isArray(value)) return value.map((item) => markHandles(item, nameOf));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, markHandles(item, nameOf)]));
}

function planDeployment(name: string, node: Application, args: readonly unknown[]): PlannedDeployment {
  const { settings, target } = node.deployment;
  const bound = boundCheckpoint(node);
  if (bound) {
    // Read once: replicas that are started later serve the same model, whatever becomes of the file.
    const modelText = bound.checkpoint.modelText();
    if (isLayersModel(modelText)) return planLayers(name, settings, bound.checkpoint, bound.options);
    const options = readTreeOptions(bound.options);
    return {
      name,
      settings,
      model: describeTrees(modelText, options),
      makeReplica: (id, caller) => new ThreadReplica(id, { kind: 'tree', modelText, options }, caller),
    };
  }
  if (typeof target === 'function') {
    return {
      name,
      settings,
      model: undefined,
      makeReplica: (id, caller) =>
        new LocalReplica(id, () =>
          ClassProgram.make(name, target, reviveHandles(args, caller) as readonly unknown[]),
        ),
    };
  }
  const { module, exportName } = moduleAddress(target)!;
  const program = { kind: 'module', deployment: name, module, exportName, args } as const;
  checkClonable(name, args);
  return {
    name,
    settings,
    model: undefined,
    makeReplica: (id, caller) => new ThreadReplica(id, program, caller),
  };
}

function planLayers(
  name: string,
  settings: DeploymentSettings,
  checkpoint: Checkpoint,
  given: unknown,
): PlannedDeployment {
  const options = readLayersOptions(given);
  const files = checkedLayersFiles(readLayersFolder(checkpoint), checkpoint);
  // Shared, so that replicas need no copy each while they wait to be started.
  const program = {
    kind: 'layers',
    files: { ...files, weights: files.weights.map(shared) },
    options,
  } as const;
  return planLearning(
    name,
    settings,
    (id, caller, onFacts) => new ThreadReplica(id, program, caller, onFacts),
  );
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  return copy;
}

function checkClonable(name: string, args: readonly unknown[]): void {
  try {
    structuredClone(args);
  } catch (error) {
    throw new ServeArgumentError(
      `The arguments of deployment "${name}" go to a thread of its own, and one of them can not: ${(error as Error).message}`,
    );
  }
}
