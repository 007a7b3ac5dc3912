// The OpenAPI description of what a server serves, made from the models' own features.

import type { ModelDescription, Schema } from '../replica/modelDescription.ts';
import type { ServedApp } from '../deployment/servedApp.ts';

export function openApi(apps: readonly ServedApp[], version: string, hasKey: boolean): Schema {
  const models = apps.filter((app) => app.model !== undefined);
  return {
    openapi: '3.1.0',
    info: { title: 'tabgrad serve', version },
    ...(hasKey && { security: [{ bearer: [] }, { apiKey: [] }] }),
    paths: {
      ...Object.fromEntries(apps.map((app) => [app.routePrefix, appPath(app)])),
      ...Object.fromEntries(models.map((app) => [`/v2/models/${app.modelName}/infer`, inferPath(app)])),
      '/-/routes': { get: { summary: 'Applications by route prefix', responses: ok({ type: 'object' }) } },
      '/-/healthz': {
        get: {
          summary: 'Whether every application has a healthy replica',
          security: [],
          responses: { ...ok({ type: 'string' }, 'text/plain'), 503: { description: 'Not ready' } },
        },
      },
    },
    components: {
      schemas: {
        Error: object({
          error: object(
            {
              code: { type: 'string' },
              message: { type: 'string' },
              row: { type: 'integer', description: 'Of rows that do not fit: which' },
              field: { type: 'string', description: 'Of rows that do not fit: which of its fields' },
            },
            ['code', 'message'],
          ),
          requestId: { type: 'string' },
        }),
      },
      ...(hasKey && {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      }),
    },
  };
}

function appPath({ name, model }: ServedApp): Schema {
  if (!model) {
    const any = { description: `Answer of application ${name}` };
    return { post: { summary: `Calls application ${name}`, responses: { 200: any, default: failure } } };
  }
  const [row, predicted] = [object(model.row), object(model.predicted)];
  return {
    post: {
      summary: `Predicts rows with ${name} (${model.summary})`,
      description: 'Predictions come back in the shape of the rows: records, one record, or columns.',
      requestBody: json({ oneOf: [{ type: 'array', items: row }, row, columnsOf(model.row)] }),
      responses: {
        ...ok({ oneOf: [{ type: 'array', items: predicted }, predicted, columnsOf(model.predicted)] }),
        default: failure,
      },
    },
  };
}

function columnsOf(row: ModelDescription['row']): Schema {
  return object(
    Object.fromEntries(Object.entries(row).map(([name, items]) => [name, { type: 'array', items }])),
  );
}

function inferPath({ modelName }: ServedApp): Schema {
  const tensors = { type: 'array', items: { type: 'object' } };
  return {
    post: {
      summary: `Open Inference Protocol (v2) on ${modelName}`,
      requestBody: json(object({ id: { type: 'string' }, inputs: tensors, outputs: tensors }, ['inputs'])),
      responses: { ...ok(object({ outputs: tensors })), default: { description: 'Failure' } },
    },
  };
}

function object(properties: Schema, required = Object.keys(properties)): Schema {
  return { type: 'object', properties, required };
}

function json(schema: Schema): Schema {
  return { required: true, content: { 'application/json': { schema } } };
}

function ok(schema: Schema, type = 'application/json'): Schema {
  return { 200: { description: 'OK', content: { [type]: { schema } } } };
}

const failure: Schema = {
  description: 'Failure',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};
