// Where and how a server listens.

import type { TlsSettings } from '../core/tls/openTls.ts';
import type { AccessEntry } from './http/exchange.ts';
import { ServeArgumentError } from './request/serveErrors.ts';

export interface ServeHttpOptions {
  /** Default 8000; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1; 0.0.0.0 lets other machines ask. */
  readonly host?: string | undefined;
  /** Answers over https with this certificate. */
  readonly tls?: TlsSettings | undefined;
  /** Callers must send it as "Authorization: Bearer KEY" or "X-API-Key: KEY". */
  readonly apiKey?: string | undefined;
  /** Address under which callers reach the server through a proxy. */
  readonly publicUrl?: string | undefined;
  /** Origins of web pages that may ask, e.g. "https://example.org"; "*" is any. None by default but the server's own. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Default 16 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Of all requests that are not answered yet together; default 256 MiB, or one body where that is more. */
  readonly maxHeldBodyBytes?: number | undefined;
  /** For all of a request to arrive; default 30. */
  readonly bodyTimeoutS?: number | undefined;
  /** For the head of a request to arrive; default 15. */
  readonly headersTimeoutS?: number | undefined;
  /** Called with every request after its answer; without it nothing is logged. */
  readonly accessLog?: ((entry: AccessEntry) => void) | undefined;
}

export interface RunOptions extends ServeHttpOptions {
  /** Name of the application; one of the same name is replaced without a failed request. Default "default". */
  readonly name?: string | undefined;
  /** Path that its requests begin with; default "/". */
  readonly routePrefix?: string | undefined;
  /** Its name in /v2/models; its own name by default. Applications of several versions may share one. */
  readonly modelName?: string | undefined;
}

/** @throws ServeArgumentError */
export function checkRoutePrefix(routePrefix: string): string {
  const isPath = /^\/([\w.~-]+(\/[\w.~-]+)*\/?)?$/.test(routePrefix);
  const trimmed = routePrefix === '/' ? '/' : routePrefix.replace(/\/$/, '');
  if (isPath && !/^\/(-|v2|metrics|openapi\.json)(\/|$)/.test(trimmed)) return trimmed;
  throw new ServeArgumentError(
    `The route prefix "${routePrefix}" must be a path like /flights, other than /v2, /-, /metrics and /openapi.json.`,
    { field: 'routePrefix' },
  );
}

const MEBIBYTE = 1024 ** 2;

/** @throws ServeArgumentError */
export function bodyLimits(options: ServeHttpOptions): { maxBodyBytes: number; maxHeldBodyBytes: number } {
  const { maxBodyBytes = 16 * MEBIBYTE } = options;
  const maxHeldBodyBytes = options.maxHeldBodyBytes ?? Math.max(256 * MEBIBYTE, maxBodyBytes);
  if (maxHeldBodyBytes >= maxBodyBytes) return { maxBodyBytes, maxHeldBodyBytes };
  throw new ServeArgumentError(
    `maxHeldBodyBytes (${maxHeldBodyBytes}) must be at least maxBodyBytes (${maxBodyBytes}): a body of that size would never fit.`,
    { field: 'maxHeldBodyBytes' },
  );
}

/** As browsers write them: a scheme, a host and perhaps a port. @throws ServeArgumentError */
export function checkOrigins(origins: readonly string[]): readonly string[] {
  for (const origin of origins) {
    const isWritten = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s]+$/.test(origin) && URL.canParse(origin);
    if (origin === '*' || (isWritten && ['null', origin].includes(new URL(origin).origin))) continue;
    throw new ServeArgumentError(
      `The allowed origin "${origin.slice(0, 200)}" must be like https://example.org, without a path, or "*".`,
      { field: 'allowedOrigins' },
    );
  }
  return origins;
}

/** @throws ServeArgumentError */
export function checkName(name: string, field: string): string {
  if (/^[\w.-]{1,100}$/.test(name)) return name;
  throw new ServeArgumentError(
    `${field} "${name.slice(0, 100)}" must be made of letters, digits, "_", "-" and ".".`,
    { field },
  );
}
