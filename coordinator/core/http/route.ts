// What the server answers, as a table of values: method, path, who may, and what to do.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from './access.ts';
import { MethodNotAllowedError, NotFoundError } from '../../http/httpErrors.ts';
import type { TrafficClass } from './trafficMeter.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Values of the path's `:name` segments. */
  readonly params: Readonly<Record<string, string>>;
  /** The worker that asks; undefined where it is an owner, or anybody. */
  readonly workerId: string | undefined;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Segments; one that starts with a colon matches any single segment. */
  readonly path: string;
  readonly access: Access;
  readonly traffic: TrafficClass;
  handle(exchange: Exchange): Promise<void> | void;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request. HEAD is answered by GET routes.
 * @throws NotFoundError, MethodNotAllowedError
 */
export function matchRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (!params) continue;
    if (route.method === wanted) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length === 0) throw new NotFoundError(`Nothing is served at ${path.slice(0, 200)}`);
  throw new MethodNotAllowedError(
    `${method} is not possible on ${path.slice(0, 200)}, only ${allowed.join(', ')}`,
  );
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split('/');
  const actual = path.split('/');
  if (expected.length !== actual.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of expected.entries()) {
    const value = actual[i] ?? '';
    if (segment.startsWith(':') && value !== '') params[segment.slice(1)] = value;
    else if (segment !== value) return undefined;
  }
  return params;
}
