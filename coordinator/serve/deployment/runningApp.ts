// A running application: its deployments' replicas, and how an update goes from one plan to the next.

import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { ServedApp } from './servedApp.ts';
import type { Router } from '../routing/router.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';
import type { ModelDescription } from '../replica/modelDescription.ts';
import type { ApplicationPlan } from './planApplication.ts';
import type { PlannedDeployment } from './plannedDeployment.ts';
import { ReplicaSet } from './replicaSet.ts';
import type { ReplicaSetSpec } from './replicaSetSpec.ts';
import type { ReplicaSetStatus } from './replicaSetStatus.ts';

export class RunningApp implements ServedApp {
  readonly name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #routePrefix = '/';
  #modelName = '';
  #plan: ApplicationPlan = { ingress: '', deployments: [] };
  readonly #sets = new Map<string, ReplicaSet>();
  /** Of the ingress. While the application ends it is still asked, and says so. */
  #router: Router | undefined;

  constructor(name: string, clock: Clock, log: Log) {
    this.name = name;
    this.#clock = clock;
    this.#log = log;
  }

  get routePrefix(): string {
    return this.#routePrefix;
  }

  get modelName(): string {
    return this.#modelName;
  }

  get ingress(): string {
    return this.#plan.ingress;
  }

  get version(): string {
    return this.#ingressPlan()?.settings.version ?? '1';
  }

  get model(): ModelDescription | undefined {
    return this.#ingressPlan()?.model;
  }

  get router(): Router {
    return this.#router ?? this.#set(this.ingress).router;
  }

  isReady(): boolean {
    // Those of an update that is under way do not count yet.
    const { deployments } = this.#plan;
    return (
      deployments.length > 0 &&
      deployments.every(({ name }) => (this.#sets.get(name)?.status().replicas.running ?? 0) > 0)
    );
  }

  deployments(): readonly ReplicaSetStatus[] {
    return [...this.#sets.values()].map((set) => set.status());
  }

  /** Calls a deployment of this application. */
  async call(deployment: string, method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#set(deployment).router.call('method', [method, args]);
  }

  /**
   * Starts what is new, rolls what was there to what it should be, and ends what is no longer part of it; callees
   * before their callers. @throws what a replica could not start with; what is new is ended again then.
   */
  async deploy(
    plan: ApplicationPlan,
    { routePrefix, modelName }: { readonly routePrefix: string; readonly modelName: string },
  ): Promise<void> {
    const started: string[] = [];
    try {
      for (const planned of plan.deployments) {
        const spec = this.#spec(planned);
        const existing = this.#sets.get(planned.name);
        if (existing) {
          await existing.update(spec);
          continue;
        }
        const set = new ReplicaSet(planned.name, spec, this.#clock, this.#log);
        this.#sets.set(planned.name, set);
        started.push(planned.name);
        await set.start();
      }
    } catch (error) {
      await Promise.all(started.map((name) => this.#end(name)));
      throw error;
    }
    this.#plan = plan;
    this.#router = this.#set(plan.ingress).router;
    this.#routePrefix = routePrefix;
    this.#modelName = modelName;
    const kept = new Set(plan.deployments.map(({ name }) => name));
    await Promise.all(
      [...this.#sets.keys()].filter((name) => !kept.has(name)).map((name) => this.#end(name)),
    );
  }

  /** Callers end before their callees, so that requests in hand can be answered. */
  async close(): Promise<void> {
    for (const name of [...this.#sets.keys()].reverse()) await this.#end(name);
  }

  async #end(name: string): Promise<void> {
    await this.#sets.get(name)?.close();
    this.#sets.delete(name);
  }

  #spec(planned: PlannedDeployment): ReplicaSetSpec {
    return {
      settings: planned.settings,
      checks: planned.checks,
      makeReplica: (id) =>
        planned.makeReplica(id, (deployment, method, args) => this.call(deployment, method, args)),
    };
  }

  #set(name: string): ReplicaSet {
    const set = this.#sets.get(name);
    if (set) return set;
    throw new ServeArgumentError(`Application "${this.name}" has no deployment "${name}".`);
  }

  #ingressPlan(): PlannedDeployment | undefined {
    return this.#plan.deployments.find(({ name }) => name === this.#plan.ingress);
  }
}
