// From a bound application to the deployments that make it up, each with how its replicas are made. All that can be
// wrong with arguments and checkpoints comes out here, before anything is started.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { modelOutputs, modelRounds } from '../../../shared/gbdt/model/model.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { ClassProgram } from '../replica/classProgram.ts';
import { LocalReplica } from '../replica/localReplica.ts';
import type { Replica } from '../replica/replica.ts';
import { SmallRequests } from '../replica/smallRequests.ts';
import { ThreadReplica } from '../replica/threadReplica.ts';
import { outputNames, type TreeOptions } from '../replica/treeProgram.ts';
import { modelFeatures, type ModelFeature } from '../../predict/modelFeatures.ts';
import { ServeArgumentError } from '../serveErrors.ts';
import { Application, boundCheckpoint, type ModuleTarget } from './deployment.ts';
import type { DeploymentSettings } from './deploymentOptions.ts';
import { HandleMark, reviveHandles, type HandleCaller } from './handle.ts';

/** What callers may know of a served model. */
export interface ModelDescription {
  readonly objective: string;
  readonly rounds: number;
  readonly features: readonly ModelFeature[];
  readonly outputs: number;
  readonly outputName: string;
  readonly outputColumns: readonly string[];
  readonly small: SmallRequests;
}

export interface PlannedDeployment {
  readonly name: string;
  readonly settings: DeploymentSettings;
  /** Undefined for an owner's class. */
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

/** @throws ServeArgumentError, CheckpointError, ModelFormatError, ModelUnsupportedError */
export function planApplication(application: Application): ApplicationPlan {
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
    deployments.push(planDeployment(name, node, args));
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
    const options = readTreeOptions(bound.options);
    // Read once: replicas that are started later serve the same model, whatever becomes of the file.
    const modelText = bound.checkpoint.modelText();
    return {
      name,
      settings,
      model: describeModel(modelText, options),
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
  const { module, export: exportName } = target as ModuleTarget;
  const address =
    module instanceof URL || module.startsWith('file:')
      ? String(module)
      : pathToFileURL(resolve(module)).href;
  const program = { kind: 'module', deployment: name, module: address, exportName, args } as const;
  checkClonable(name, args);
  return {
    name,
    settings,
    model: undefined,
    makeReplica: (id, caller) => new ThreadReplica(id, program, caller),
  };
}

function readTreeOptions(options: unknown): TreeOptions {
  const parsed = treeOptions.safeParse(options ?? {});
  if (parsed.success) return parsed.data as TreeOptions;
  const issue = parsed.error.issues[0]!;
  throw new ServeArgumentError(`Options of the predictor${where(issue.path)}: ${issue.message}.`);
}

function where(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : ` (${path.join('.')})`;
}

function describeModel(modelText: string, options: TreeOptions): ModelDescription {
  const model = readModel(modelText);
  const outputs = modelOutputs(model);
  return {
    objective: model.objective,
    rounds: modelRounds(model),
    features: modelFeatures(model),
    outputs,
    outputName: options.outputColumn ?? 'predictions',
    outputColumns: outputNames(outputs, options.outputColumn),
    small: new SmallRequests(modelText, options),
  };
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
