// The body of a request in the form that its route asks for.

import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { readJsonBody } from './answers.ts';
import { BadRequestError } from '../../http/httpErrors.ts';

/** @throws BodyTooLargeError, BadRequestError naming the field that is wrong */
export async function readForm<T>(
  form: z.ZodType<T>,
  request: IncomingMessage,
  maxBytes: number,
): Promise<T> {
  const parsed = form.safeParse(await readJsonBody(request, maxBytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new BadRequestError(`${field === '' ? 'The body' : field}: ${issue?.message ?? 'unknown form'}`, {
    field,
  });
}
