// From a bound application to the deployments that make it up, each with how its replicas are made. All that can be
// wrong with arguments and checkpoints comes out here, before anything is started.

import { z } from 'zod';
import { checkedLayersFiles, isLayersModel, readLayersFolder } from '../../predict/layersFolder.ts';
import type { ProgramCluster } from '../../program/openProgram.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { describeLayers } from '../model/describeLayers.ts';
import { describeTrees } from '../model/describeTrees.ts';
import type { ModelDescription } from '../model/modelDescription.ts';
import { ClassProgram } from '../replica/classProgram.ts';
import { LocalReplica } from '../replica/localReplica.ts';
import type { LayersOptions } from '../replica/layersProgram.ts';
import type { Replica } from '../replica/replica.ts';
import { ThreadReplica } from '../replica/threadReplica.ts';
import { classOnPool, treesOnPool } from '../replica/poolPrograms.ts';
import { PoolReplica, type PoolProgram } from '../replica/poolReplica.ts';
import { TreeProgram, type TreeOptions } from '../replica/treeProgram.ts';
import { ServeArgumentError } from '../serveErrors.ts';
import { Application, boundCheckpoint, moduleAddress } from './deployment.ts';
import type { DeploymentSettings } from './deploymentOptions.ts';
import { HandleMark, reviveHandles, type HandleCaller } from './handle.ts';

export interface PlannedDeployment {
  readonly name: string;
  readonly settings: DeploymentSettings;
  /** Undefined for an owner's class, and before the first replica of a tf.LayersModel is ready. */
  readonly model: ModelDescription | undefined;
  makeReplica(id: string, caller: HandleCaller): Replica;
}

export interface ApplicationPlan {
  /** Name of the deployment that HTTP requests go to. */
  readonly ingress: string;
  /** Callees before their callers. */
  readonly deployments: readonly PlannedDeployment[];
}

const treeOptions = z.strictObject({
  outputColumn: z.string().min(1).max(200).optional(),
  outputMargin: z.boolean().optional(),
  iterationRange: z.tuple([z.number().int().min(0), z.number().int().min(0)]).optional(),
});

const layersOptions = z.strictObject({
  device: z.enum(['cpu', 'webgpu']).optional(),
  maxBatchSize: z.number().int().min(1).max(100_000).optional(),
  batchWaitTimeoutS: z.number().min(0).max(3_600).optional(),
});

/** @throws ServeArgumentError, CheckpointError, ModelFormatError, ModelUnsupportedError */
export function planApplication(application: Application, pool?: ProgramCluster): ApplicationPlan {
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
        ? planOnPool(name, node, args, pool)
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
    const options = readOptions(treeOptions, bound.options) as TreeOptions;
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

function planOnPool(
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
  const planned = (service: Promise<PoolProgram>, model?: ModelDescription): PlannedDeployment => {
    // Each replica tells it when it is not there.
    service.catch(() => undefined);
    return { name, settings, model, makeReplica: (id) => new PoolReplica(id, pool, service, settings) };
  };
  const bound = boundCheckpoint(node);
  if (bound) {
    const modelText = bound.checkpoint.modelText();
    if (isLayersModel(modelText)) {
      throw new ServeArgumentError(`Deployment "${name}" is a tf.LayersModel: those run in threads only.`, {
        field: 'runOn',
      });
    }
    const options = readOptions(treeOptions, bound.options) as TreeOptions;
    const rows = new TreeProgram(modelText, options);
    const model = { ...describeTrees(modelText, options), small: undefined };
    return planned(Promise.resolve(treesOnPool(modelText, options, rows)), model);
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

function hasHandle(value: unknown): boolean {
  if (value instanceof HandleMark) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasHandle);
}

function planLayers(
  name: string,
  settings: DeploymentSettings,
  checkpoint: Checkpoint,
  given: unknown,
): PlannedDeployment {
  const options = readOptions(layersOptions, given) as LayersOptions;
  const files = checkedLayersFiles(readLayersFolder(checkpoint), checkpoint);
  // Shared, so that replicas need no copy each while they wait to be started.
  const program = {
    kind: 'layers',
    files: { ...files, weights: files.weights.map(shared) },
    options,
  } as const;
  let model: ModelDescription | undefined;
  return {
    name,
    settings,
    get model() {
      return model;
    },
    makeReplica: (id, caller) =>
      new ThreadReplica(id, program, caller, (facts) => {
        model ??= describeLayers(facts);
      }),
  };
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  return copy;
}

/** @throws ServeArgumentError naming the option. */
function readOptions<T extends z.ZodType>(schema: T, options: unknown): z.output<T> {
  const parsed = schema.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ServeArgumentError(`Options of the predictor${where(issue.path)}: ${issue.message}.`);
}

function where(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : ` (${path.join('.')})`;
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
