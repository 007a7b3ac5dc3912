// Requests of KServe's V1 protocol: {"instances": [a row each]}.
// https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol

import { ServeInputError } from './serveErrors.ts';
import { parseBody } from './readRows.ts';

/** @param fields that the model knows. @throws BadRequestError, ServeInputError */
export function readInstances(text: string, fields: number): readonly unknown[] {
  const value = parseBody(text, fields);
  const instances: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'instances') : undefined;
  if (Array.isArray(instances)) return instances;
  throw new ServeInputError('The body has no array "instances"; expected {"instances": [a row each]}.', {
    field: 'instances',
  });
}
