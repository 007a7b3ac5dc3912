// What a server tells its coordinator of an application: counters, replicas and what rows have, and nothing of requests.

import {
  MAX_TOLD_CHOICES,
  MAX_TOLD_FIELDS,
  MAX_TOLD_REPLICAS,
  type ModelField,
  type ServingReport,
  type ToldDeployment,
} from '../../../shared/api/servingAnswers.ts';
import type { ReplicaSetStatus } from '../deployment/replicaSetStatus.ts';
import type { ServedApp } from '../deployment/servedApp.ts';
import type { ServeMetrics } from '../http/serveMetrics.ts';
import type { ModelDescription, Schema } from '../replica/modelDescription.ts';

/** The same for all applications of a server. */
export type ServerFacts = Pick<ServingReport, 'serverId' | 'status' | 'url' | 'port' | 'tls' | 'hasKey'>;

const MAX_NAME_CHARACTERS = 200;
const MAX_MESSAGE_CHARACTERS = 1_000;
const MAX_DEPLOYMENTS = 64;
const MAX_STATUSES = 100;

/** The routers and counters of an application as they are now. */
export function servingReport(server: ServerFacts, app: ServedApp, metrics: ServeMetrics): ServingReport {
  const { byStatus, latencies } = metrics.of(app.name);
  const { routePrefix, modelName, version, model } = app;
  return {
    ...server,
    routePrefix,
    modelName,
    version,
    isReady: app.isReady(),
    ...(model && { model: toldModel(model) }),
    byStatus: Object.fromEntries([...byStatus].slice(0, MAX_STATUSES)),
    latencies: [...latencies],
    deployments: app.deployments().slice(0, MAX_DEPLOYMENTS).map(toldDeployment),
  };
}

function toldModel({ summary, inputs, row }: ModelDescription): NonNullable<ServingReport['model']> {
  return {
    summary: summary.slice(0, MAX_MESSAGE_CHARACTERS / 2),
    fields: inputs.slice(0, MAX_TOLD_FIELDS).map(({ name, shape }) => field(name, shape.slice(1), row[name])),
    fieldCount: inputs.length,
  };
}

function field(name: string, shape: readonly number[], schema: Schema = {}): ModelField {
  const told = name.slice(0, MAX_NAME_CHARACTERS);
  if (shape.length > 0) return { name: told, kind: 'tensor', shape: shape.slice(0, 16) };
  const types = [schema['type']].flat();
  const kind = types.includes('string') ? 'category' : types.includes('number') ? 'number' : 'integer';
  const examples = Array.isArray(schema['examples']) ? schema['examples'] : [];
  const choices = examples
    .slice(0, MAX_TOLD_CHOICES)
    .map((choice) => String(choice).slice(0, MAX_NAME_CHARACTERS));
  return { name: told, kind, ...(choices.length > 0 && { choices }) };
}

function toldDeployment({
  name,
  version,
  status,
  target,
  ongoing,
  queued,
  restarts,
  counts,
  message,
  members,
}: ReplicaSetStatus): ToldDeployment {
  return {
    name,
    ...(version !== undefined && { version }),
    status,
    target,
    ongoing,
    queued,
    restarts,
    ...counts,
    message: message.slice(0, MAX_MESSAGE_CHARACTERS),
    replicas: members.slice(0, MAX_TOLD_REPLICAS).map(({ version: own, workerId, ...member }) => ({
      ...member,
      ...(own !== undefined && { version: own }),
      ...(workerId !== undefined && { workerId }),
    })),
  };
}
