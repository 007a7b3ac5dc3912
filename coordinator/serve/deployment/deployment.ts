// Deployments and what they are bound to: values that describe what Serve.run starts. Nothing starts here.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { GBDTPredictor } from '../../predict/gbdtPredictor.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { DeployableClass } from '../replica/classProgram.ts';
import { ServeArgumentError, serveError } from '../request/serveErrors.ts';
import {
  type DeploymentOptions,
  type DeploymentSettings,
  deploymentOptions,
} from '../../core/store/deploymentSettings.ts';
import { checkOptions } from '../../schema/checkOptions.ts';

/** @throws ServeArgumentError naming the option that is unknown or out of range. */
export function readDeploymentOptions(options: DeploymentOptions): DeploymentSettings {
  return checkOptions(deploymentOptions, options, serveError);
}

/** A class that replicas in threads of their own import. */
export interface ModuleTarget {
  /** Path (from the working directory) or file: address of a JavaScript or TypeScript module. */
  readonly module: string | URL;
  /** Name under which the module exports the class. */
  readonly export: string;
}

/**
 * What can be deployed. A trained model (a Checkpoint of trees or of a tf.LayersModel, or GBDTPredictor bound to one) and a ModuleTarget run in threads
 * of their own. A class given as a value runs in this process, on the thread that also serves HTTP: a replica that
 * computes for long holds up all the others.
 */
export type DeploymentTarget = DeployableClass | Checkpoint | ModuleTarget;

/** A deployment with the arguments of its class. */
export class Application {
  /** What its replicas are made of. */
  readonly deployment: Deployment;
  /** Arguments of the class; applications among them arrive as handles. */
  readonly args: readonly unknown[];

  /** Made by `Deployment.bind`. */
  constructor(deployment: Deployment, args: readonly unknown[]) {
    this.deployment = deployment;
    this.args = args;
  }
}

/** A class or a model, with the settings of the replicas that run it. A value: nothing starts before Serve.run. */
export class Deployment {
  /** What is deployed. */
  readonly target: DeploymentTarget;
  /** Its options with all defaults filled in. Times in seconds. */
  readonly settings: DeploymentSettings;
  readonly #options: DeploymentOptions;

  /** @throws ServeArgumentError */
  constructor(target: DeploymentTarget, options: DeploymentOptions = {}) {
    if (typeof target !== 'function' && !(target instanceof Checkpoint) && !isModuleTarget(target)) {
      throw new ServeArgumentError(
        'deployment() takes a class, a Checkpoint, or {module, export} of a class in a file.',
      );
    }
    this.target = target;
    this.#options = options;
    this.settings = readDeploymentOptions(options);
  }

  /** Name within the application: that of the options, else of the class; "Model" for a checkpoint. */
  get name(): string {
    if (this.settings.name !== undefined) return this.settings.name;
    const { target } = this;
    if (typeof target === 'function') return target.name === '' ? 'Deployment' : target.name;
    return target instanceof Checkpoint ? 'Model' : target.export;
  }

  /** The same with some options changed. @throws ServeArgumentError */
  options(changes: DeploymentOptions): Deployment {
    return new Deployment(this.target, { ...this.#options, ...changes });
  }

  /**
   * Fixes the arguments of the class. An Application among them, also inside arrays and plain objects, arrives as a
   * DeploymentHandle. A Checkpoint takes one argument at most, options of its predictor: outputColumn, outputMargin and
   * iterationRange of trees; device, maxBatchSize and batchWaitTimeoutS of a tf.LayersModel. GBDTPredictor takes the checkpoint or its folder, then these options.
   */
  bind(...args: readonly unknown[]): Application {
    return new Application(this, args);
  }
}

function isModuleTarget(value: unknown): value is ModuleTarget {
  if (typeof value !== 'object' || value === null) return false;
  const { module, export: name } = value as Partial<ModuleTarget>;
  return (typeof module === 'string' || module instanceof URL) && typeof name === 'string';
}

/** Where the class of a ModuleTarget is; undefined for other targets. */
export function moduleAddress(
  target: DeploymentTarget,
): { readonly module: string; readonly exportName: string } | undefined {
  if (!isModuleTarget(target)) return undefined;
  const { module, export: exportName } = target;
  const isAddress = module instanceof URL || module.startsWith('file:');
  return { module: isAddress ? String(module) : pathToFileURL(resolve(module)).href, exportName };
}

/** The checkpoint that a deployment serves, and its predictor's options. */
export interface BoundCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly options: unknown;
}

/** Undefined for an owner's class. */
export function boundCheckpoint({ deployment: { target }, args }: Application): BoundCheckpoint | undefined {
  if (target instanceof Checkpoint) return { checkpoint: target, options: args[0] };
  if (target !== GBDTPredictor) return undefined;
  const [checkpoint, options] = args;
  if (checkpoint instanceof Checkpoint) return { checkpoint, options };
  if (typeof checkpoint === 'string') return { checkpoint: new Checkpoint(checkpoint), options };
  throw new ServeArgumentError(
    'deployment(GBDTPredictor).bind(checkpoint) takes a Checkpoint or its folder first.',
  );
}
