// What a server answers beside its applications: health, routes, metrics, its description, and the Open Inference
// Protocol (v2), whose paths are fixed.

import { MethodNotAllowedError, NotFoundError } from '../../http/httpErrors.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import type { Exchange } from './exchange.ts';
import { openApi } from './openApi.ts';
import type { InferAnswer } from '../request/openInference.ts';
import type { AppTable, ServedApp } from '../deployment/servedApp.ts';
import type { ServeMetrics } from './serveMetrics.ts';

export interface PageContext {
  readonly apps: AppTable;
  readonly metrics: ServeMetrics;
  readonly version: string;
  readonly hasKey: boolean;
  isStopping(): boolean;
}

/** These answer without the API key: balancers and orchestrators ask them. */
const openPaths: readonly string[] = ['/-/healthz', '/v2/health/live', '/v2/health/ready'];

export function isOpenPath(path: string): boolean {
  return openPaths.includes(path);
}

/** Paths that no application gets to see. */
export function isServerPath(path: string): boolean {
  return (
    path.startsWith('/-/') || path.startsWith('/v2/') || ['/v2', '/metrics', '/openapi.json'].includes(path)
  );
}

/** Answers a GET of the server's own paths. @throws NotFoundError, MethodNotAllowedError */
export function answerPage(exchange: Exchange, context: PageContext): void {
  const { path } = exchange;
  const { apps, metrics, version, hasKey } = context;
  const method = exchange.request.method ?? '';
  if (method !== 'GET' && method !== 'HEAD') {
    throw new MethodNotAllowedError(`${method} is not possible on ${path.slice(0, 200)}, only GET.`);
  }
  const waiting = notReady(context);
  switch (path) {
    case '/-/healthz':
      if (waiting.length > 0) throw new UnavailableError(`Not ready: ${waiting.join(', ').slice(0, 500)}.`);
      exchange.answer(200, { 'content-type': 'text/plain; charset=utf-8' }, 'success');
      return;
    case '/-/routes':
      exchange.json(200, Object.fromEntries(apps.apps.map(({ routePrefix, name }) => [routePrefix, name])));
      return;
    case '/metrics':
      exchange.answer(
        200,
        { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        metrics.text(apps.apps),
      );
      return;
    case '/openapi.json':
      exchange.json(200, openApi(apps.apps, version, hasKey));
      return;
    case '/v2':
      exchange.json(200, { name: 'tabgrad', version, extensions: ['binary_tensor_data'] });
      return;
    case '/v2/health/live':
      exchange.json(200, { live: true });
      return;
    case '/v2/health/ready':
      exchange.json(waiting.length === 0 ? 200 : 503, { ready: waiting.length === 0 });
      return;
    default:
      answerModel(exchange, apps);
  }
}

/** What a caller would have to wait for. */
function notReady(context: PageContext): readonly string[] {
  const { apps } = context;
  if (context.isStopping()) return ['the server is stopping'];
  const waiting = [...apps.expected, ...apps.apps.filter((app) => !app.isReady()).map(({ name }) => name)];
  return waiting.length === 0 && apps.apps.length === 0 ? ['no application runs'] : waiting;
}

/** @throws UnavailableError while applications are still to come: what is asked for may be one of them. */
export function checkExpected(apps: AppTable): void {
  const { expected } = apps;
  if (expected.length === 0) return;
  throw new UnavailableError(`Applications are being started: ${expected.join(', ').slice(0, 500)}.`);
}

function answerModel(exchange: Exchange, apps: AppTable): void {
  const target = modelTarget(exchange.path);
  if (!target || target.action === 'infer') {
    if (target) throw new MethodNotAllowedError('GET is not possible on infer, only POST.');
    throw new NotFoundError(`Nothing is served at ${exchange.path.slice(0, 200)}.`);
  }
  const app = findModel(apps, target);
  if (target.action === 'ready') {
    answerReady(exchange, app);
    return;
  }
  const { platform, inputs, outputs } = app.model!;
  exchange.json(200, {
    name: app.modelName,
    versions: apps.apps.filter(({ modelName }) => modelName === app.modelName).map(({ version }) => version),
    platform,
    inputs,
    outputs,
  });
}

export function answerReady(exchange: Exchange, app: ServedApp): void {
  const ready = app.isReady();
  exchange.json(ready ? 200 : 503, { name: app.modelName, ready });
}

export interface ModelTarget {
  readonly model: string;
  readonly version: string | undefined;
  readonly action: 'metadata' | 'ready' | 'infer';
}

/** `/v2/models/NAME[/versions/V][/ready|/infer]` */
export function modelTarget(path: string): ModelTarget | undefined {
  const match = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer))?$/.exec(path);
  if (!match) return undefined;
  const [, model, version, action] = match;
  try {
    return {
      model: decodeURIComponent(model!),
      version: version === undefined ? undefined : decodeURIComponent(version),
      action: (action as 'ready' | 'infer' | undefined) ?? 'metadata',
    };
  } catch {
    return undefined;
  }
}

/** @throws NotFoundError naming the models that there are; UnavailableError while others are still to come. */
export function findModel(apps: AppTable, { model, version }: ModelTarget): ServedApp {
  const found = apps.byModel(model, version);
  if (found) return found;
  checkExpected(apps);
  const known = apps.apps
    .filter((app) => app.model)
    .map((app) => `${app.modelName} (version ${app.version})`);
  const wanted =
    version === undefined
      ? `"${model.slice(0, 100)}"`
      : `"${model.slice(0, 100)}" of version ${version.slice(0, 100)}`;
  throw new NotFoundError(`There is no model ${wanted}; there are: ${known.join(', ') || 'none'}.`);
}

/** Writes the answer to an inference request, in JSON, with the tensors behind it that are wanted in binary. */
export function answerInference(exchange: Exchange, app: ServedApp, { id, outputs }: InferAnswer): void {
  const head = { model_name: app.modelName, model_version: app.version, ...(id !== undefined && { id }) };
  const tensors = outputs.map(({ data, ...output }) => {
    if (typeof data === 'string') return `${JSON.stringify(output).slice(0, -1)},"data":${data}}`;
    return JSON.stringify({ ...output, parameters: { binary_data_size: data.byteLength } });
  });
  const text = `${JSON.stringify(head).slice(0, -1)},"outputs":[${tensors.join(',')}]}`;
  const binary = outputs.map(({ data }) => data).filter((data) => typeof data !== 'string');
  if (binary.length === 0) {
    exchange.answer(200, { 'content-type': 'application/json; charset=utf-8' }, text);
    return;
  }
  const header = Buffer.from(text);
  exchange.answer(
    200,
    {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.byteLength),
    },
    Buffer.concat([header, ...binary]),
  );
}
