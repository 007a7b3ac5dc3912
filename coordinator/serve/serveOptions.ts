// Where and how a server listens, and where an application stands: one schema for scripts and docs/options.md.

import { z } from 'zod';
import type { TlsSettings } from '../core/tls/openTls.ts';
import { checkOptions } from '../schema/checkOptions.ts';
import { isOrigin, wholeFrom } from '../schema/optionWords.ts';
import type { AccessEntry } from './http/serveExchange.ts';
import { serveError } from './request/serveErrors.ts';

const MEBIBYTE = 1024 ** 2;
const MOST_BYTES = Number.MAX_SAFE_INTEGER;
const seconds = z.number().positive().max(86_400);
const name = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "." only, at most 100');

const httpFields = {
  port: wholeFrom(0, 65_535).default(8000).describe('0 takes a free one.'),
  host: z.string().min(1).default('127.0.0.1').describe('0.0.0.0 lets other machines ask.'),
  processes: wholeFrom(1, 256)
    .default(1)
    .describe(
      'Processes that take connections at this port. With more than 1 they predict small rows for trees themselves, and pass on all else: for models of trees that get more requests than one processor core can read.',
    ),
  tls: z
    .custom<TlsSettings>((value) => typeof value === 'object' && value !== null)
    .meta({ title: '{ certFile, keyFile } or { selfMadeIn }' })
    .optional()
    .describe('Answers over https with this certificate.'),
  apiKey: z
    .string()
    .min(1)
    .optional()
    .describe('Callers must send it as "Authorization: Bearer KEY" or "X-API-Key: KEY".'),
  publicUrl: z
    .string()
    .min(1)
    .optional()
    .describe('Address under which callers reach the server through a proxy.'),
  allowedOrigins: z
    .array(
      z
        .string()
        .max(2_000)
        .refine(
          (origin) => origin === '*' || isOrigin(origin),
          'must be like https://example.org, without a path, or "*"',
        ),
    )
    .max(1_000)
    .readonly()
    .default([])
    .describe(
      'Origins of web pages that may ask, e.g. "https://example.org"; "*" is any. None but the server\'s own without it.',
    ),
  maxBodyBytes: wholeFrom(1, MOST_BYTES)
    .default(16 * MEBIBYTE)
    .describe('Of one request; 16 MiB without it.'),
  maxHeldBodyBytes: wholeFrom(1, MOST_BYTES)
    .optional()
    .describe(
      'Of all requests that are not answered yet together. Without it 256 MiB, or one body where that is more.',
    ),
  bodyTimeoutS: seconds.default(30).describe('Seconds for all of a request to arrive.'),
  headersTimeoutS: seconds.default(15).describe('Seconds for the head of a request to arrive.'),
  accessLog: z
    .custom<(entry: AccessEntry) => void>((value) => typeof value === 'function')
    .meta({ title: 'a function' })
    .optional()
    .describe('Called with every request after its answer; without it nothing is logged.'),
};

const httpOptions = z.strictObject(httpFields).superRefine(checkHeldBytes);

export const runOptions = z
  .strictObject({
    ...httpFields,
    name: name
      .default('default')
      .describe('Of the application; one of the same name is replaced without a failed request.'),
    routePrefix: z
      .string()
      .refine(isRoutePrefix, 'must be a path like /flights, other than /v2, /-, /metrics and /openapi.json')
      .transform((prefix) => (prefix === '/' ? '/' : prefix.replace(/\/$/, '')))
      .default('/')
      .describe('Path that its requests begin with.'),
    modelName: name
      .optional()
      .describe(
        'Its name in /v2/models; its own name without it. Applications of several versions may share one.',
      ),
  })
  .superRefine(checkHeldBytes);

/** Where and how a server listens. */
export interface ServeHttpOptions extends Readonly<z.input<typeof httpOptions>> {}
/** Options of Serve.run. */
export interface RunOptions extends Readonly<z.input<typeof runOptions>> {}

export type HttpSettings = z.output<typeof httpOptions>;

/** @throws ServeArgumentError naming the option. */
export function checkHttpOptions(options: ServeHttpOptions): HttpSettings {
  return checkOptions(httpOptions, options, serveError);
}

/** @throws ServeArgumentError naming the option. */
export function checkRunOptions(options: RunOptions): z.output<typeof runOptions> {
  return checkOptions(runOptions, options, serveError);
}

export function heldBodyBytes({
  maxBodyBytes,
  maxHeldBodyBytes,
}: Pick<HttpSettings, 'maxBodyBytes' | 'maxHeldBodyBytes'>): number {
  return maxHeldBodyBytes ?? Math.max(256 * MEBIBYTE, maxBodyBytes);
}

function checkHeldBytes(
  sizes: Pick<HttpSettings, 'maxBodyBytes' | 'maxHeldBodyBytes'>,
  context: z.RefinementCtx,
): void {
  const held = heldBodyBytes(sizes);
  if (held >= sizes.maxBodyBytes) return;
  const message = `is ${held}; expected at least maxBodyBytes (${sizes.maxBodyBytes}): a body of that size would never fit`;
  context.addIssue({ code: 'custom', path: ['maxHeldBodyBytes'], message });
}

function isRoutePrefix(prefix: string): boolean {
  if (!/^\/([\w.~-]+(\/[\w.~-]+)*\/?)?$/.test(prefix)) return false;
  return !/^\/(-|v2|metrics|openapi\.json)(\/|$)/.test(prefix.replace(/(.)\/$/, '$1'));
}
