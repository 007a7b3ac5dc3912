// Who may ask: tokens, and the two headers by which a browser tells on a foreign page. Without the checks of Origin and
// Host, any web page that a volunteer or owner has open could talk to a coordinator on their own machine.

import type { IncomingMessage } from 'node:http';
import { readWorkerAuthorization } from '../../../shared/protocol/workerCredentials.ts';
import type { AttemptThrottle } from '../pool/attemptThrottle.ts';
import type { WorkerProofs } from '../pool/workerProofs.ts';
import type { TrustedProxies } from './proxies.ts';
import { OriginRefusedError, TokenRequiredError } from '../../http/httpErrors.ts';
import type { Tokens } from './tokens.ts';

export interface AccessOptions {
  readonly tokens: Pick<Tokens, 'admin'>;
  readonly workers: Pick<WorkerProofs, 'bySecret'>;
  /** Host names (without port) that requests may be addressed to; undefined allows all. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Slows down who guesses. */
  readonly attempts: AttemptThrottle;
  /** Whose word counts on the name that was asked for, and on who asks. */
  readonly proxies: TrustedProxies;
  /** Origins of other pages that may ask, e.g. "https://example.org". */
  readonly allowedOrigins: readonly string[];
}

/** Who may use a route: anybody; who has the admin token; that one, and workers of the pool. */
export type Access = 'public' | 'admin' | 'worker';

/** Who asks, as far as that was to be shown. */
export type Caller =
  | { readonly type: 'anybody' | 'owner' }
  | { readonly type: 'worker'; readonly workerId: string };

export class AccessControl {
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** @throws OriginRefusedError when the request is addressed to a name that this coordinator does not go by. */
  checkHost(request: IncomingMessage): void {
    const { allowedHosts, proxies } = this.#options;
    const name = hostName(proxies.host(request));
    if (!allowedHosts || (name !== undefined && allowedHosts.includes(name))) return;
    throw new OriginRefusedError(
      `This coordinator is not known as "${name ?? ''}", only as ${allowedHosts.join(', ')}. ` +
        'Behind a proxy or tunnel, start it with its public URL.',
    );
  }

  /** @throws OriginRefusedError when a page of another origin asks. Programs that are no browsers send no Origin. */
  checkOrigin(request: IncomingMessage): void {
    const { origin } = request.headers;
    const host = this.#options.proxies.host(request);
    if (origin === undefined || this.#options.allowedOrigins.includes(origin)) return;
    if (host !== undefined && URL.canParse(origin) && new URL(origin).host === canonicalHost(host, origin))
      return;
    throw new OriginRefusedError(`A page of "${origin.slice(0, 200)}" may not use this coordinator.`);
  }

  /** @throws TokenRequiredError, TooManyAttemptsError */
  checkToken(request: IncomingMessage, access: Access): Caller {
    if (access === 'public') return { type: 'anybody' };
    const { tokens, attempts, workers } = this.#options;
    const worker = access === 'worker' ? readWorkerAuthorization(request.headers.authorization) : undefined;
    if (worker) {
      const shown = workers.bySecret({ ...worker, address: this.addressOf(request) });
      if (shown.type === 'right') return { type: 'worker', workerId: worker.workerId };
      if (shown.type === 'throttled') throw shown.error;
      throw new TokenRequiredError('No worker of that id and secret is in the pool.');
    }
    const attempt = attempts.attempt(this.addressOf(request), bearerToken(request), [tokens.admin]);
    if (attempt.type === 'right') return { type: 'owner' };
    if (attempt.type === 'throttled') throw attempt.error;
    throw new TokenRequiredError(
      `${attempt.type === 'missing' ? 'A token is required' : 'The token is wrong'}: send "Authorization: Bearer <admin token>".`,
    );
  }

  /** The address that asks, seen from outside of trusted proxies. */
  addressOf(request: IncomingMessage): string {
    return this.#options.proxies.clientAddress(request);
  }
}

function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer (.{1,512})$/i.exec(request.headers.authorization ?? '')?.[1];
}

function hostName(host: string | undefined): string | undefined {
  const url = `http://${host ?? ''}`;
  return host !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** The Host header with the port left out where it is the default of the origin's scheme, as in URL.host. */
function canonicalHost(host: string, origin: string): string | undefined {
  const url = `${new URL(origin).protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).host : undefined;
}
