// Where a request comes from: the name it is addressed to, and the headers by which a browser tells on a foreign page.
// Without these checks any web page that somebody has open could talk to a server on their own machine, also by a name that
// it made point there.

import type { IncomingHttpHeaders } from 'node:http';
import { OriginRefusedError } from './httpErrors.ts';

export interface SourceOptions {
  /** E.g. "coordinator". */
  readonly serverKind: string;
  /** Host names (without port) that requests may be addressed to; undefined allows all. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins of other pages that may ask, e.g. "https://example.org"; "*" is any. */
  readonly allowedOrigins: readonly string[];
}

const KEPT_HOSTS = 64;

export class RequestSource {
  readonly #options: SourceOptions;
  /** Host headers that were found good, so that they are not taken apart again with every request. */
  readonly #goodHosts = new Set<string>();

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  /**
   * @param host that the request is addressed to, with its port.
   * @throws OriginRefusedError for a name that this server does not go by.
   */
  checkHost(host: string): void {
    const { allowedHosts, serverKind } = this.#options;
    if (!allowedHosts || this.#goodHosts.has(host)) return;
    const url = `http://${host}`;
    const name = URL.canParse(url) ? new URL(url).hostname : '';
    if (!allowedHosts.includes(name)) {
      throw new OriginRefusedError(
        `This ${serverKind} is not known as "${name.slice(0, 200)}", only as ${allowedHosts.join(', ')}. ` +
          'Behind a proxy or tunnel, start it with its public URL.',
      );
    }
    if (this.#goodHosts.size < KEPT_HOSTS) this.#goodHosts.add(host);
  }

  /** @throws OriginRefusedError when a page of another origin asks. Programs that are no browsers send no Origin. */
  checkOrigin(host: string, headers: IncomingHttpHeaders): void {
    const { origin } = headers;
    const { serverKind } = this.#options;
    if (origin === undefined) {
      if (!isOfForeignPage(headers) || this.allows('*')) return;
      throw new OriginRefusedError(`A page of another site may not use this ${serverKind}.`);
    }
    if (this.allows(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === canonicalHost(host, origin)) return;
    throw new OriginRefusedError(`A page of "${origin.slice(0, 200)}" may not use this ${serverKind}.`);
  }

  /** Whether pages of that origin may ask. */
  allows(origin: string): boolean {
    const { allowedOrigins } = this.#options;
    return allowedOrigins.includes(origin) || allowedOrigins.includes('*');
  }
}

/** The token of an Authorization header, as far as one may be long. */
export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return /^Bearer (.{1,512})$/i.exec(authorization ?? '')?.[1];
}

/**
 * Images, frames and scripts of pages are asked for without an Origin; browsers then tell of the site by Fetch Metadata
 * (W3C). A link that somebody follows is none of these.
 */
function isOfForeignPage(headers: IncomingHttpHeaders): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-dest': destination } = headers;
  return (site === 'cross-site' || site === 'same-site') && destination !== 'document';
}

/** The host with the port left out where it is the default of the origin's scheme, as in URL.host. */
function canonicalHost(host: string, origin: string): string | undefined {
  const url = `${new URL(origin).protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
