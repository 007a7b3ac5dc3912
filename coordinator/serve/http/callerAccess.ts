// Who may ask for predictions: whoever has the API key, where one is set; and no web page of a foreign origin.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AttemptThrottle } from '../../core/pool/attemptThrottle.ts';
import type { Exchange } from '../../http/exchange.ts';
import { TokenRequiredError } from '../../http/httpErrors.ts';
import { bearerToken, RequestSource } from '../../http/requestSource.ts';

export interface CallerAccessOptions {
  readonly apiKey: string | undefined;
  /** Slows down who guesses. */
  readonly attempts: AttemptThrottle;
  /** Host names (without port) that requests may be addressed to; undefined allows all. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins of web pages that may ask; "*" is any. */
  readonly allowedOrigins: readonly string[];
}

/** What a page may read besides the usual ones. */
const EXPOSED_HEADERS = 'x-request-id, retry-after, inference-header-content-length';

export class CallerAccess {
  readonly #options: CallerAccessOptions;
  readonly #source: RequestSource;

  constructor(options: CallerAccessOptions) {
    this.#options = options;
    this.#source = new RequestSource({ ...options, serverKind: 'server' });
  }

  /** Refuses what a page of another site can send through a browser. @throws OriginRefusedError */
  checkSource({ host, request }: Exchange): void {
    this.#source.checkHost(host);
    this.#source.checkOrigin(host, request.headers);
  }

  /**
   * Lets a page of an allowed origin read the answer. Keys are headers that a page sends itself: cookies and a browser's
   * own credentials are never allowed, so that "*" may be said.
   */
  allowReading({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    const { allowedOrigins } = this.#options;
    if (allowedOrigins.length === 0) return;
    const isAny = allowedOrigins.includes('*');
    // Also where there is no origin: a cache must not give the answer to a page.
    if (!isAny) response.setHeader('Vary', 'Origin');
    if (origin === undefined || !this.#source.allows(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', isAny ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }

  /** @throws TokenRequiredError, TooManyAttemptsError */
  checkKey({ request: { headers }, address }: Exchange): void {
    const { apiKey, attempts } = this.#options;
    if (apiKey === undefined) return;
    const plain = headers['x-api-key'];
    const given = bearerToken(headers) ?? (typeof plain === 'string' ? plain.slice(0, 512) : undefined);
    const attempt = attempts.attempt(address, given, [apiKey]);
    if (attempt.type === 'right') return;
    if (attempt.type === 'throttled') throw attempt.error;
    throw new TokenRequiredError(
      `${attempt.type === 'missing' ? 'An API key is required' : 'The API key is wrong'}: send "Authorization: Bearer KEY" or "X-API-Key: KEY".`,
    );
  }
}
