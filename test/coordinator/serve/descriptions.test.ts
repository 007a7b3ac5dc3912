import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { makeServedModels, type ServedModels } from './servedModels.ts';

let models: ServedModels;
const key = 'secret-key';
const serve = new Serve({ log: () => undefined });
const ask = (place: string, init: RequestInit = {}): Promise<Response> =>
  fetch(serve.url + place, { ...init, headers: { 'x-api-key': key } });

class Service {
  call(): never {
    throw Object.assign(new Error('busy'), { status: 409 });
  }
}

beforeAll(async () => {
  models = makeServedModels();
  const late = deployment(models.late.checkpoint, { version: '7' });
  await serve.run(late, { name: 'late', routePrefix: '/late', port: 0, apiKey: key });
  await serve.run(deployment(models.classes.checkpoint), { name: 'classes', routePrefix: '/classes' });
  await serve.run(deployment(Service), { name: 'own' });
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

interface Described {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: object;
  };
  readonly security: readonly object[];
}

interface Operation {
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}

/** The part of JSON Schema that the description uses. */
function fits(value: unknown, schema: Schema, root: Described): boolean {
  if (schema.$ref !== undefined) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref)![1]!;
    return fits(value, root.components.schemas[name]!, root);
  }
  if (schema.oneOf) return schema.oneOf.filter((one) => fits(value, one, root)).length === 1;
  const kind =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : Number.isInteger(value)
          ? 'integer'
          : typeof value;
  const types = [schema.type ?? kind].flat();
  if (!types.includes(kind) && !(kind === 'integer' && types.includes('number'))) return false;
  if (kind === 'array') return (value as unknown[]).every((item) => fits(item, schema.items ?? {}, root));
  if (kind !== 'object') return true;
  const object = value as Record<string, unknown>;
  return (
    (schema.required ?? []).every((name) => name in object) &&
    Object.entries(schema.properties ?? {}).every(
      ([name, one]) => !(name in object) || fits(object[name], one, root),
    )
  );
}

describe('the OpenAPI description', () => {
  it('fits the requests that are accepted and the answers that are given', async () => {
    const api = (await (await ask('/openapi.json')).json()) as Described;
    expect(api.openapi).toBe('3.1.0');
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining(['/', '/late', '/classes', '/v2/models/late/infer', '/-/routes', '/-/healthz']),
    );
    expect([api.security, api.paths['/-/healthz']!['get']!.security]).toEqual([
      [{ bearer: [] }, { apiKey: [] }],
      [],
    ]);
    expect(Object.keys(api.components.securitySchemes)).toEqual(['bearer', 'apiKey']);
    const row = { distance: 900, hour: 17, carrier: 'AA' };
    const inputs = [{ name: 'm', shape: [1, 3], datatype: 'FP32', data: [900, 17, 0] }];
    const columns = { distance: [900], hour: [17], carrier: [null] };
    const cases: readonly [string, unknown, boolean][] = [
      ['/late', [row, row], true],
      ['/late', row, true],
      ['/late', columns, true],
      ['/late', { distance: 900 }, false],
      ['/late', { ...row, hour: 'noon' }, false],
      ['/classes', { x: 1, y: null }, true],
      ['/v2/models/late/infer', { inputs }, true],
      ['/v2/models/late/infer', {}, false],
      ['/', {}, false],
    ];
    for (const [path, body, isGood] of cases) {
      const { requestBody, responses } = api.paths[path]!['post']!;
      if (requestBody) expect(fits(body, requestBody.content['application/json']!.schema, api)).toBe(isGood);
      const response = await ask(path, { method: 'POST', body: JSON.stringify(body) });
      expect(response.ok).toBe(isGood);
      const described = (responses[response.status] ?? responses['default'])!.content?.['application/json'];
      if (described) expect(fits(await response.json(), described.schema, api)).toBe(true);
    }
  });
});

describe('metrics', () => {
  it('are valid Prometheus text: families with help and type, then their samples; histograms that add up', async () => {
    for (let i = 0; i < 3; i++) await (await ask('/late', { method: 'POST', body: '[]' })).text();
    const text = await (await ask('/metrics')).text();
    expect(text.endsWith('\n')).toBe(true);
    const lines = text.trimEnd().split('\n');
    const types = new Map<string, string>();
    const sample = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (\S+)$/;
    let family = '';
    for (const [i, line] of lines.entries()) {
      const help = /^# HELP ([a-z_:][a-z0-9_:]*) \S/.exec(line)?.[1];
      if (help !== undefined) {
        expect(types.has(help)).toBe(false);
        const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[i + 1]!)!;
        expect(type[1]).toBe(help);
        types.set((family = help), type[2]!);
        continue;
      }
      if (line.startsWith('# TYPE ')) continue;
      const [, name, , value] = sample.exec(line)!;
      const suffixes = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      expect(suffixes.map((suffix) => family + suffix)).toContain(name);
      if (types.get(family) === 'counter') expect(name).toMatch(/_total$/);
      expect(Number(value)).toBeGreaterThanOrEqual(0);
    }
    expect([...types.keys()].every((name) => name.startsWith('tabgrad_serve_'))).toBe(true);
    const buckets = lines
      .filter((line) => line.startsWith('tabgrad_serve_http_request_seconds_bucket{application="late"'))
      .map((line) => Number(line.split(' ')[1]));
    const count = /_seconds_count{application="late"} (\d+)/.exec(text)![1];
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
    expect(buckets.at(-1)).toBe(Number(count));
  });
});

describe('the Open Inference Protocol describes', () => {
  it('models, by version too', async () => {
    const late = {
      name: 'late',
      versions: ['7'],
      platform: 'tabgrad_xgboost',
      inputs: [
        { name: 'distance', datatype: 'FP32', shape: [-1] },
        { name: 'hour', datatype: 'FP32', shape: [-1] },
        { name: 'carrier', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: 'predictions', datatype: 'FP32', shape: [-1] }],
    };
    for (const place of ['late', 'late/versions/7'])
      expect(await (await ask(`/v2/models/${place}`)).json()).toEqual(late);
    expect(await (await ask('/v2/models/classes')).json()).toMatchObject({
      versions: ['1'],
      outputs: [{ shape: [-1, 3] }],
    });
    for (const place of ['late/ready', 'late/versions/7/ready'])
      expect(await (await ask(`/v2/models/${place}`)).json()).toEqual({ name: 'late', ready: true });
    for (const place of ['late/versions/8', 'late/versions/8/ready', 'own', 'own/ready'])
      expect((await ask(`/v2/models/${place}`)).status).toBe(404);
  });

  it('the server', async () => {
    expect(await (await ask('/v2')).json()).toEqual({
      name: 'tabgrad',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      extensions: ['binary_tensor_data'],
    });
    expect(await (await ask('/v2/health/live')).json()).toEqual({ live: true });
  });
});
