// Who may ask for predictions: whoever has the API key, where one is set; and no web page of a foreign origin.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AttemptThrottle } from '../../core/pool/attemptThrottle.ts';
import { OriginRefusedError, TokenRequiredError } from '../../http/httpErrors.ts';

export interface CallerAccessOptions {
  readonly apiKey: string | undefined;
  /** Slows down who guesses. */
  readonly attempts: AttemptThrottle;
  /** Host names (without port) that requests may be addressed to; undefined allows all. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins of web pages that may ask; "*" is any. */
  readonly allowedOrigins: readonly string[];
}

const KEPT_HOSTS = 64;
/** What a page may read besides the usual ones. */
const EXPOSED_HEADERS = 'x-request-id, retry-after, inference-header-content-length';

export class CallerAccess {
  readonly #options: CallerAccessOptions;
  /** Host headers that were found good, so that they are not taken apart again with every request. */
  readonly #goodHosts = new Set<string>();

  constructor(options: CallerAccessOptions) {
    this.#options = options;
  }

  /**
   * Refuses what a page of another site can send through a browser, also by a name that it made point here.
   * @param host that the request is addressed to, with its port.
   * @throws OriginRefusedError
   */
  checkSource(host: string, headers: IncomingHttpHeaders): void {
    const { origin } = headers;
    const { allowedHosts } = this.#options;
    if (allowedHosts && !this.#goodHosts.has(host)) {
      const url = `http://${host}`;
      const name = URL.canParse(url) ? new URL(url).hostname : '';
      if (!allowedHosts.includes(name)) {
        throw new OriginRefusedError(
          `This server is not known as "${name.slice(0, 200)}", only as ${allowedHosts.join(', ')}; behind a proxy, start it with its public URL.`,
        );
      }
      if (this.#goodHosts.size < KEPT_HOSTS) this.#goodHosts.add(host);
    }
    if (origin === undefined) {
      if (!isOfForeignPage(headers) || this.#allows('*')) return;
      throw new OriginRefusedError('A page of another site may not use this server.');
    }
    if (this.#allows(origin) || origin === `http://${host}` || origin === `https://${host}`) return;
    throw new OriginRefusedError(`A page of "${origin.slice(0, 200)}" may not use this server.`);
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
    if (origin === undefined || !this.#allows(origin)) return;
    response.setHeader('Access-Control-Allow-Origin', isAny ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
  }

  /** @throws TokenRequiredError, TooManyAttemptsError */
  checkKey({ headers, socket }: IncomingMessage): void {
    const { apiKey, attempts } = this.#options;
    if (apiKey === undefined) return;
    const bearer = /^Bearer (.{1,512})$/i.exec(headers.authorization ?? '')?.[1];
    const plain = headers['x-api-key'];
    const given = bearer ?? (typeof plain === 'string' ? plain.slice(0, 512) : undefined);
    const attempt = attempts.attempt(socket.remoteAddress ?? '', given, [apiKey]);
    if (attempt.type === 'right') return;
    if (attempt.type === 'throttled') throw attempt.error;
    throw new TokenRequiredError(
      `${attempt.type === 'missing' ? 'An API key is required' : 'The API key is wrong'}: send "Authorization: Bearer KEY" or "X-API-Key: KEY".`,
    );
  }

  #allows(origin: string): boolean {
    const { allowedOrigins } = this.#options;
    return allowedOrigins.includes(origin) || allowedOrigins.includes('*');
  }
}

/**
 * Images, frames and scripts of pages are asked for without an Origin; browsers then tell of the site by Fetch Metadata
 * (W3C). A link that somebody follows is none of these.
 */
function isOfForeignPage(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-dest': destination } = headers;
  return (site === 'cross-site' || site === 'same-site') && destination !== 'document';
}
