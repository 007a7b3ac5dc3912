// Who may use the API: whoever shows a token, where one is asked for, and no web page of a foreign origin.

import type { IncomingMessage } from 'node:http';
import { readWorkerAuthorization } from '../../../shared/protocol/workerCredentials.ts';
import { TokenRequiredError } from '../../http/httpErrors.ts';
import { bearerToken, RequestSource } from '../../http/requestSource.ts';
import type { AttemptThrottle } from '../pool/attemptThrottle.ts';
import type { WorkerProofs } from '../pool/workerProofs.ts';
import type { TrustedProxies } from './proxies.ts';
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
  readonly #source: RequestSource;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#source = new RequestSource({ ...options, serverKind: 'coordinator' });
  }

  /** @throws OriginRefusedError when the request is addressed to a name that this coordinator does not go by. */
  checkHost(request: IncomingMessage): void {
    this.#source.checkHost(this.#options.proxies.host(request) ?? '');
  }

  /** @throws OriginRefusedError when a page of another origin asks. */
  checkOrigin(request: IncomingMessage): void {
    this.#source.checkOrigin(this.#options.proxies.host(request) ?? '', request.headers);
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
    const attempt = attempts.attempt(this.addressOf(request), bearerToken(request.headers), [tokens.admin]);
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
