// Which requests an acceptor may answer itself: small rows that are posted to a model of trees, by who may ask, with nothing
// about them that needs more than a prediction.

import { RequestSource, bearerToken } from '../../http/requestSource.ts';
import { isUtf8Charset } from '../../http/bodyText.ts';
import { compareSecrets } from '../../core/pool/attemptThrottle.ts';
import { servesPath } from '../deployment/servedApp.ts';
import { isServerPath } from '../http/serverPages.ts';
import type { ServeExchange } from '../http/serveExchange.ts';
import type { Body } from '../replica/replica.ts';
import { MAX_SMALL_BYTES, SmallRequests } from '../replica/smallRequests.ts';
import type { AcceptedApp, AcceptorSettings } from './acceptorMessages.ts';

export class QuickApp {
  readonly name: string;
  readonly routePrefix: string;
  readonly #small: SmallRequests | undefined;

  constructor({ name, routePrefix, trees }: AcceptedApp) {
    this.name = name;
    this.routePrefix = routePrefix;
    this.#small = trees && SmallRequests.of(trees.modelText, trees.options);
  }

  get isQuick(): boolean {
    return this.#small !== undefined;
  }

  /** JSON of the predictions; undefined where the serving process has to answer. */
  answer(body: Body): string | undefined {
    if (!this.#small?.takes(body.length)) return undefined;
    try {
      return this.#small.run('http', [body]) as string;
    } catch {
      // Bad input is answered, and logged, in one place.
      return undefined;
    }
  }
}

export class QuickApps {
  readonly #settings: AcceptorSettings;
  readonly #source: RequestSource;
  #apps: readonly QuickApp[] = [];

  constructor(settings: AcceptorSettings) {
    this.#settings = settings;
    const { allowedHosts } = settings;
    this.#source = new RequestSource({ serverKind: 'server', allowedHosts, allowedOrigins: [] });
  }

  set(apps: readonly AcceptedApp[]): void {
    this.#apps = apps.map((app) => new QuickApp(app));
  }

  /** The application of a request that may be answered here, once its body is read. */
  appOf(exchange: ServeExchange): QuickApp | undefined {
    const { request, path } = exchange;
    if (request.method !== 'POST' || isServerPath(path) || path.startsWith('/v1/models/')) return undefined;
    const app = this.#apps.find(({ routePrefix }) => servesPath(routePrefix, path));
    if (!app?.isQuick) return undefined;
    const rest = path.slice(app.routePrefix.length);
    if (rest !== '' && rest !== '/') return undefined;
    return this.#isPlain(exchange) && this.#mayAsk(exchange) ? app : undefined;
  }

  #isPlain({ request: { headers } }: ServeExchange): boolean {
    const bytes = Number(headers['content-length'] ?? NaN);
    return (
      bytes <= Math.min(MAX_SMALL_BYTES, this.#settings.maxBodyBytes) &&
      headers['content-encoding'] === undefined &&
      headers['transfer-encoding'] === undefined &&
      headers.expect === undefined &&
      // Pages are told what they may read.
      headers.origin === undefined &&
      isUtf8Charset(headers['content-type'])
    );
  }

  #mayAsk({ host, request: { headers } }: ServeExchange): boolean {
    const { apiKey } = this.#settings;
    try {
      this.#source.checkHost(host);
      this.#source.checkOrigin(host, headers);
    } catch {
      return false;
    }
    if (apiKey === undefined) return true;
    const plain = headers['x-api-key'];
    const given = bearerToken(headers) ?? (typeof plain === 'string' ? plain : undefined);
    return compareSecrets(given, [apiKey]).type === 'right';
  }
}
