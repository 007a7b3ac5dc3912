// What a server answers beside its applications: health, routes, metrics, its description, and the Open Inference
// Protocol (v2), whose paths are fixed.

import { NotFoundError } from '../../http/httpErrors.ts';
import type { RouteParams, RoutePlace } from '../../http/routeTable.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import { openApi } from './openApi.ts';
import type { InferAnswer } from '../request/openInference.ts';
import type { AppTable, ServedApp } from '../deployment/servedApp.ts';
import type { ServeExchange } from './serveExchange.ts';
import type { ServeMetrics } from './serveMetrics.ts';

export interface PageContext {
  readonly apps: AppTable;
  readonly metrics: ServeMetrics;
  readonly version: string;
  readonly hasKey: boolean;
  isStopping(): boolean;
  /** Brings what is counted up to date, where others count too. */
  recount?(): Promise<void>;
}

export interface PageRoute extends RoutePlace {
  handle(exchange: ServeExchange, params: RouteParams): void;
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

/** @param infer answers an inference request to a model. */
export function serverPages(
  context: PageContext,
  infer: (exchange: ServeExchange, app: ServedApp) => void,
): PageRoute[] {
  const { apps, metrics, version, hasKey } = context;
  const page = (path: string, handle: PageRoute['handle']): PageRoute => ({ method: 'GET', path, handle });
  const model = '/v2/models/:model';
  return [
    page('/-/healthz', (exchange) => {
      const waiting = notReady(context);
      if (waiting.length > 0) throw new UnavailableError(`Not ready: ${waiting.join(', ').slice(0, 500)}.`);
      exchange.text(200, 'text/plain; charset=utf-8', 'success');
    }),
    page('/-/routes', (exchange) =>
      exchange.json(200, Object.fromEntries(apps.apps.map(({ routePrefix, name }) => [routePrefix, name]))),
    ),
    page('/metrics', (exchange) => {
      const answer = (): void =>
        exchange.text(200, 'text/plain; version=0.0.4; charset=utf-8', metrics.text(apps.apps));
      const recounted = context.recount?.();
      if (recounted) void recounted.then(answer);
      else answer();
    }),
    page('/openapi.json', (exchange) => exchange.json(200, openApi(apps.apps, version, hasKey))),
    page('/v2', (exchange) =>
      exchange.json(200, { name: 'tabgrad', version, extensions: ['binary_tensor_data'] }),
    ),
    page('/v2/health/live', (exchange) => exchange.json(200, { live: true })),
    page('/v2/health/ready', (exchange) => {
      const ready = notReady(context).length === 0;
      exchange.json(ready ? 200 : 503, { ready });
    }),
    ...[model, `${model}/versions/:version`].flatMap((path): PageRoute[] => [
      page(path, (exchange, params) => answerModel(exchange, apps, findModel(apps, params))),
      page(`${path}/ready`, (exchange, params) => answerReady(exchange, findModel(apps, params))),
      {
        method: 'POST',
        path: `${path}/infer`,
        handle: (exchange, params) => infer(exchange, findModel(apps, params)),
      },
    ]),
  ];
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

function answerModel(exchange: ServeExchange, apps: AppTable, app: ServedApp): void {
  const { platform, inputs, outputs } = app.model!;
  exchange.json(200, {
    name: app.modelName,
    versions: apps.apps.filter(({ modelName }) => modelName === app.modelName).map(({ version }) => version),
    platform,
    inputs,
    outputs,
  });
}

export function answerReady(exchange: ServeExchange, app: ServedApp): void {
  const ready = app.isReady();
  exchange.json(ready ? 200 : 503, { name: app.modelName, ready });
}

/** @throws NotFoundError naming the models that there are; UnavailableError while others are still to come. */
function findModel(apps: AppTable, { model = '', version }: RouteParams): ServedApp {
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
export function answerInference(exchange: ServeExchange, app: ServedApp, { id, outputs }: InferAnswer): void {
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
