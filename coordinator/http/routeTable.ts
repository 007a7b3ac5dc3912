// Finds what answers a request by its method and path. Hono's trie does the matching; what is not there, and methods that
// are not possible, are errors of ours.

import { TrieRouter } from 'hono/router/trie-router';
import { BadRequestError, MethodNotAllowedError, NotFoundError } from './httpErrors.ts';

export interface RoutePlace {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Segments; one that starts with a colon matches any single segment. */
  readonly path: string;
}

export type RouteParams = Readonly<Record<string, string>>;

export interface RouteMatch<Route> {
  readonly route: Route;
  /** Values of the path's `:name` segments, decoded. */
  readonly params: RouteParams;
}

export class RouteTable<Route extends RoutePlace> {
  /** One entry a path, for all its methods: so that a method that is not there is told from a path that is not. */
  readonly #router = new TrieRouter<Map<string, Route>>();

  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Map<string, Route>>();
    for (const route of routes) {
      const { method, path } = route;
      const methods = byPath.get(path) ?? new Map<string, Route>();
      if (!byPath.has(path)) this.#router.add('ALL', path, methods);
      byPath.set(path, methods.set(method, route));
    }
  }

  /**
   * Finds the route of a request: of several whose path fits, the first that has the method. HEAD is answered by GET routes.
   * @throws BadRequestError for a target that is no path, NotFoundError, MethodNotAllowedError
   */
  match(method: string, path: string): RouteMatch<Route> {
    if (!path.startsWith('/')) throw new BadRequestError('The request target is not a path');
    const [found, stash] = this.#router.match('ALL', path);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const allowed: string[] = [];
    for (const [methods, values] of found) {
      const params = decoded(values, stash);
      if (!params) break;
      const route = methods.get(wanted);
      if (route) return { route, params };
      allowed.push(...methods.keys());
    }
    if (allowed.length > 0) throw new MethodNotAllowedError(method, path, allowed);
    throw new NotFoundError(`Nothing is served at ${path.slice(0, 200)}.`);
  }
}

/** @returns undefined where a value is no percent-encoded text. */
function decoded(
  values: Readonly<Record<string, string | number>>,
  stash: readonly string[] | undefined,
): RouteParams | undefined {
  const params: Record<string, string> = {};
  try {
    for (const [name, value] of Object.entries(values))
      params[name] = decodeURIComponent(typeof value === 'number' ? (stash?.[value] ?? '') : value);
  } catch {
    return undefined;
  }
  return params;
}
