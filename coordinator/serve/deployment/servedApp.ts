// An application as the HTTP side sees it.

import type { ModelDescription } from '../replica/modelDescription.ts';
import type { ReplicaSetStatus } from './replicaSetStatus.ts';
import type { Router } from '../routing/router.ts';

export interface ServedApp {
  readonly name: string;
  /** Begins with "/" and ends without, but for the root. */
  readonly routePrefix: string;
  /** Name in /v2/models; several applications may share it, told apart by their versions. */
  readonly modelName: string;
  /** The ingress deployment's version; "1" where it gives none. */
  readonly version: string;
  /** Undefined where the ingress is an owner's class. */
  readonly model: ModelDescription | undefined;
  /** Of the ingress deployment. */
  readonly router: Router;
  isReady(): boolean;
  deployments(): readonly ReplicaSetStatus[];
}

/** The applications of a server, by name and by path. */
export class AppTable {
  /** The longest prefix first. */
  #apps: readonly ServedApp[] = [];
  /** Applications that are to come, an entry for each that says so. */
  readonly #expected = new Set<{ readonly name: string }>();

  get apps(): readonly ServedApp[] {
    return this.#apps;
  }

  /** Puts an application in place of the one of its name. */
  set(app: ServedApp): void {
    const others = this.#apps.filter(({ name }) => name !== app.name);
    this.#apps = [...others, app].sort((a, b) => b.routePrefix.length - a.routePrefix.length);
    for (const entry of this.#expected) if (entry.name === app.name) this.#expected.delete(entry);
  }

  /**
   * Says that an application will come: until it is there the server is not ready.
   * @returns ends the waiting, whether it came or not.
   */
  expect(name: string): () => void {
    if (this.#apps.some((app) => app.name === name)) return () => undefined;
    const entry = { name };
    this.#expected.add(entry);
    return () => void this.#expected.delete(entry);
  }

  /** Names of the applications that are to come. */
  get expected(): readonly string[] {
    return [...new Set(Array.from(this.#expected, ({ name }) => name))];
  }

  remove(name: string): void {
    this.#apps = this.#apps.filter((app) => app.name !== name);
  }

  byPath(path: string): ServedApp | undefined {
    return this.#apps.find(({ routePrefix }) => servesPath(routePrefix, path));
  }

  /** The newest of that model, or the one of that version. */
  byModel(modelName: string, version?: string): ServedApp | undefined {
    const all = this.#apps.filter((app) => app.modelName === modelName && app.model !== undefined);
    return all.findLast((app) => version === undefined || app.version === version);
  }
}

export function servesPath(routePrefix: string, path: string): boolean {
  return (
    routePrefix === '/' ||
    (path.startsWith(routePrefix) && (path.length === routePrefix.length || path[routePrefix.length] === '/'))
  );
}
