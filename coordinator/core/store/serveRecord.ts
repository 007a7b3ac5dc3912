// What the durable record knows of served applications.

import type { DeploymentSettings } from './deploymentSettings.ts';

interface RecordedDeployment {
  readonly name: string;
  readonly version: string | undefined;
  /** Replicas that were asked for; the least, where their number follows the load. */
  readonly replicas: number;
}

/** "stopped" was ended in good order, "failed" could not be brought back; both are tried again at the next start. */
export type ApplicationStatus = 'running' | 'stopped' | 'failed';

export interface RecordedApplication {
  readonly name: string;
  readonly routePrefix: string;
  readonly modelName: string;
  readonly recipe: Recipe | Unrecordable;
  readonly status: ApplicationStatus;
  /** Why it has that status, where that is not plain. */
  readonly message: string;
  readonly deployedAtMs: number;
  readonly deployments: readonly RecordedDeployment[];
}

/** Why an application can not be brought back. */
export interface Unrecordable {
  readonly reason: string;
}

/** A bound application as a plain value. */
export interface Recipe {
  /** Callees before their callers; the last one is the ingress. */
  readonly nodes: readonly RecipeNode[];
}

export interface RecipeNode {
  readonly settings: DeploymentSettings;
  readonly target:
    | { readonly kind: 'checkpoint'; readonly files: readonly RecipeFile[] }
    | { readonly kind: 'module'; readonly module: string; readonly exportName: string };
  /** JSON; `{"tabgradNode": 3}` stands for another deployment. */
  readonly args: readonly unknown[];
}

/** A file of a checkpoint, stored as a blob. */
export interface RecipeFile {
  readonly name: string;
  readonly sha256: string;
}

/** Where applications are recorded. What resolved is durable. */
export interface ServeRecord {
  /** Adds an application, or replaces the one of its name. */
  save(application: RecordedApplication): Promise<void>;
  setStatus(name: string, status: ApplicationStatus, message: string): Promise<void>;
  /** Forgets an application; none is no error. */
  remove(name: string): Promise<void>;
  /** In the order in which they were deployed. */
  all(): Promise<RecordedApplication[]>;
}

/** The blobs that recipes need. */
export function recipeBlobs(recipes: readonly (Recipe | Unrecordable)[]): ReadonlySet<string> {
  const files = recipes
    .flatMap((recipe) => ('nodes' in recipe ? recipe.nodes : []))
    .flatMap(({ target }) => (target.kind === 'checkpoint' ? target.files : []));
  return new Set(files.map(({ sha256 }) => sha256));
}
