// Paths of KServe's V1 protocol. They belong to models alone: an application of the owner's may have them otherwise.
// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol

import type { AppTable, ServedApp } from '../deployment/servedApp.ts';

export interface KserveTarget {
  readonly app: ServedApp;
  readonly action: 'ready' | 'predict';
}

/** `/v1/models/NAME[:predict]` of a model that there is. */
export function kserveModel(apps: AppTable, path: string): KserveTarget | undefined {
  if (!path.startsWith('/v1/models/')) return undefined;
  const [, name, predict] = /^\/v1\/models\/([\w.-]+)(:predict)?$/.exec(path) ?? [];
  const app = name === undefined ? undefined : apps.byModel(name);
  return app && { app, action: predict === undefined ? 'ready' : 'predict' };
}
