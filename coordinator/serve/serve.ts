// Serve: applications behind one HTTP port, as Ray Serve has them.

import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../../shared/clock.ts';
import { logOrStderr } from '../log/logWriter.ts';
import { AttemptThrottle } from '../core/pool/attemptThrottle.ts';
import type { Log } from '../log/log.ts';
import { allowedHosts, coordinatorAddresses, isShared } from '../core/http/addresses.ts';
import { openTls } from '../core/tls/openTls.ts';
import { keepRenewed, type AuthorityCertificate } from '../core/tls/tlsSource.ts';
import { Deployment, type Application, type DeploymentTarget } from './deployment/deployment.ts';
import type { DeploymentOptions } from '../core/store/deploymentSettings.ts';
import { DeploymentHandle } from './replica/handle.ts';
import { planApplication } from './deployment/planApplication.ts';
import { RunningApp } from './deployment/runningApp.ts';
import { CallerAccess } from './http/callerAccess.ts';
import { HeldBodies } from './http/heldBodies.ts';
import { ContentCodings } from '../http/contentCodings.ts';
import { AppTable } from './deployment/servedApp.ts';
import { ServeMetrics } from './http/serveMetrics.ts';
import { checkProcesses, createServePort, serveAt, type ServePort } from './acceptors/servePort.ts';
import { seenServer, type SeenServer } from './report/seenServer.ts';
import { ServeReporter } from './report/serveReporter.ts';
import { makeRecipe, withRecipe } from './record/recipe.ts';
import type { ServeStatus } from './serveStatus.ts';
import type { ServingReports } from '../core/serving/servingReports.ts';
import type { Recipe, Unrecordable } from '../core/store/serveRecord.ts';
import { ServeArgumentError } from './request/serveErrors.ts';
import {
  checkHttpOptions,
  checkRunOptions,
  heldBodyBytes,
  type HttpSettings,
  type RunOptions,
  type ServeHttpOptions,
} from './serveOptions.ts';
import { poolOf, type ServeCoordinator } from './serveCoordinator.ts';
import { packageVersion } from '../files/builtFile.ts';

/** Describes a deployment. @throws ServeArgumentError */
export function deployment(target: DeploymentTarget, options: DeploymentOptions = {}): Deployment {
  return new Deployment(target, options);
}

export interface ServeOptions {
  readonly clock?: Clock | undefined;
  /** Without it warnings and errors go to stderr. */
  readonly log?: Log | undefined;
  /** Records what is deployed, so that `restore` brings it back after a restart, and has workers for `runOn: 'pool'`. */
  readonly coordinator?: ServeCoordinator | undefined;
  /** Is told how the applications go in place of `coordinator`: e.g. one elsewhere. */
  readonly reports?: ServingReports | undefined;
}

/** Applications behind one HTTP port: starts, replaces and ends them. */
export class Serve {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #coordinator: ServeCoordinator | undefined;
  readonly #apps = new Map<string, RunningApp>();
  readonly #table = new AppTable();
  readonly #metrics = new ServeMetrics();
  readonly #reporter: ServeReporter | undefined;
  readonly #serverId = randomUUID();
  #listening:
    | {
        readonly server: ServePort;
        readonly url: string;
        readonly port: number;
        readonly options: ServeHttpOptions;
        readonly authority: AuthorityCertificate | undefined;
        readonly stopRenewing: () => void;
      }
    | undefined;
  /** Changes of applications happen one after another. */
  #changes: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  /** Nothing starts and nothing listens before the first `run`. */
  constructor({ clock = systemClock, log, coordinator, reports = coordinator?.serving }: ServeOptions = {}) {
    this.#clock = clock;
    this.#log = logOrStderr(log).log;
    this.#coordinator = coordinator;
    if (!reports) return;
    this.#reporter = new ServeReporter({ reports, clock, log: this.#log, look: () => this.#look() });
  }

  /** Undefined before anything listens. */
  get url(): string | undefined {
    return this.#listening?.url;
  }

  /** Whose certificate callers have to trust, where the server made its own. */
  get authority(): AuthorityCertificate | undefined {
    return this.#listening?.authority;
  }

  /**
   * Starts an application, or replaces the one of its name without a failed request, and resolves when all its
   * replicas are ready. The first run starts to listen; later ones may leave host and port out.
   * @returns a handle of the ingress deployment, for calls without HTTP.
   * @throws ServeArgumentError, CheckpointError, ModelFormatError, ModelUnsupportedError, PortInUseError, ListenError,
   *   TlsFileError, TlsCertificateError, StorageError, StorageFullError, OwnerCodeError when a class can't be
   *   constructed, DeadlineError when one takes longer than startTimeoutS. What was there before goes on then.
   */
  run(application: Application | Deployment, options: RunOptions = {}): Promise<DeploymentHandle> {
    const bound = application instanceof Deployment ? application.bind() : application;
    return this.#runInTurn(bound, options, true);
  }

  /**
   * Says that an application will be run: until it is there the server is not ready, and answers 503 to requests for what
   * it does not know. `run` and `restore` say so of theirs.
   * @returns ends the waiting, where it is not to come after all.
   */
  expect(name = 'default'): () => void {
    return this.#table.expect(name);
  }

  /**
   * Brings back what the coordinator's record says was deployed. What can not be brought back is logged and recorded as
   * failed; the others run.
   * @returns the names of the applications that run.
   * @throws ServeArgumentError for options that can not be.
   */
  async restore(options: ServeHttpOptions = {}): Promise<string[]> {
    const { deployments, blobs } = this.#coordinator ?? noCoordinator();
    checkHttpOptions(options);
    const restored: string[] = [];
    const records = await deployments.all();
    const arrived = records.map(({ name }) => this.expect(name));
    for (const [at, { name, routePrefix, modelName, recipe }] of records.entries()) {
      try {
        if (!('nodes' in recipe)) throw new ServeArgumentError(`${recipe.reason} Deploy it again.`);
        await withRecipe(recipe, blobs, (application) =>
          this.#runInTurn(application, { ...options, name, routePrefix, modelName }, false),
        );
        restored.push(name);
      } catch (error) {
        const reason = (error as Error).message;
        this.#log({
          level: 'error',
          message: `serve: application "${name}" can not be brought back: ${reason}`,
        });
        await deployments.setStatus(name, 'failed', reason);
      } finally {
        arrived[at]!();
      }
    }
    return restored;
  }

  /** Calls the ingress deployment of a running application. @throws ServeArgumentError */
  handle(name = 'default'): DeploymentHandle {
    const app = this.#apps.get(name);
    if (!app) throw new ServeArgumentError(`No application "${name}" runs.`, { field: 'name' });
    return new DeploymentHandle(app.ingress, (...call) => app.call(...call));
  }

  /** The applications and their replicas as they are now. */
  status(): ServeStatus {
    const applications = [...this.#apps.values()].map(
      (app) =>
        [
          app.name,
          { routePrefix: app.routePrefix, isReady: app.isReady(), deployments: app.deployments() },
        ] as const,
    );
    return { url: this.url, applications: Object.fromEntries(applications) };
  }

  /** Ends an application; requests in hand are answered first. @throws ServeArgumentError when there is none. */
  delete(name = 'default'): Promise<void> {
    return this.#inTurn(async () => {
      const app = this.#apps.get(name);
      if (!app) throw new ServeArgumentError(`No application "${name}" runs.`, { field: 'name' });
      this.#table.remove(name);
      await serveAt(this.#listening?.server, this.#table);
      await this.#coordinator?.deployments.remove(name);
      await app.close();
      this.#apps.delete(name);
      this.#metrics.forget(name);
      await this.#reporter?.forget(name);
    });
  }

  /** Answers the requests in hand, ends all applications and stops listening. Idempotent. */
  shutdown(): Promise<void> {
    this.#isStopping = true;
    return this.#inTurn(async () => {
      const { server } = this.#listening ?? {};
      server?.stop();
      this.#listening?.stopRenewing();
      await this.#reporter?.stop();
      await Promise.all([...this.#apps.values()].map((app) => app.close()));
      for (const { name } of this.#apps.values()) {
        this.#table.remove(name);
        await this.#coordinator?.deployments.setStatus(name, 'stopped', '');
      }
      this.#apps.clear();
      // Answers that are being written right now get out before their sockets are closed.
      await server?.written(this.#clock, WRITE_OUT_MS);
      await server?.close();
      this.#listening = undefined;
      this.#isStopping = false;
    });
  }

  #runInTurn(application: Application, options: RunOptions, isForThis: boolean): Promise<DeploymentHandle> {
    const arrived = this.expect(options.name);
    return this.#inTurn(() => this.#run(application, options, isForThis)).finally(arrived);
  }

  /** @param isForThis the options are given for this application, not for all that are restored. */
  async #run(application: Application, options: RunOptions, isForThis: boolean): Promise<DeploymentHandle> {
    const { name, routePrefix, modelName = name, ...http } = checkRunOptions(options);
    const other = [...this.#apps.values()].find(
      (app) => app.routePrefix === routePrefix && app.name !== name,
    );
    if (other) {
      throw new ServeArgumentError(
        `Application "${other.name}" has the route prefix "${routePrefix}"; give "${name}" another.`,
        { field: 'routePrefix' },
      );
    }
    const plan = planApplication(application, this.#log, poolOf(this.#coordinator));
    if (isForThis) checkProcesses(http, plan.deployments.find(({ name }) => name === plan.ingress)?.model);
    const recipe = this.#coordinator && (await makeRecipe(application, this.#coordinator.blobs));
    await this.#listen(http, options);
    const app = this.#apps.get(name) ?? new RunningApp(name, this.#clock, this.#log);
    try {
      await app.deploy(plan, { routePrefix, modelName });
    } catch (error) {
      if (!this.#apps.has(name)) await this.#closeIfUnused();
      throw error;
    }
    this.#apps.set(name, app);
    this.#table.set(app);
    await serveAt(this.#listening?.server, this.#table);
    this.#reporter?.tellNow();
    if (recipe) await this.#record(app, recipe);
    return this.handle(name);
  }

  async #record(app: RunningApp, recipe: Recipe | Unrecordable): Promise<void> {
    const { name, routePrefix, modelName } = app;
    await this.#coordinator?.deployments.save({
      name,
      routePrefix,
      modelName,
      recipe,
      status: 'running',
      message: '',
      deployedAtMs: Date.now(),
      deployments: app
        .deployments()
        .map(({ name, version, target }) => ({ name, version, replicas: target })),
    });
  }

  /** @param given by the owner: what is left out may be as it is. */
  async #listen(options: HttpSettings, given: ServeHttpOptions): Promise<void> {
    const { port, host, apiKey, publicUrl, maxBodyBytes, allowedOrigins, processes } = options;
    if (this.#listening) {
      const differs = (['port', 'host', 'apiKey', 'processes'] as const).find(
        (key) => given[key] !== undefined && given[key] !== this.#listening?.options[key],
      );
      if (differs === undefined) return;
      throw new ServeArgumentError(
        `The server listens at ${this.#listening.url} already; "${differs}" can not change before shutdown().`,
        { field: differs },
      );
    }
    const tls = options.tls && (await openTls(options.tls, host, publicUrl, this.#log));
    const hosts = allowedHosts(host, publicUrl, tls?.names);
    const serverOptions = {
      tls: tls?.credentials,
      apps: this.#table,
      access: new CallerAccess({
        apiKey,
        attempts: new AttemptThrottle(this.#clock),
        allowedHosts: hosts,
        allowedOrigins,
      }),
      metrics: this.#metrics,
      log: this.#log,
      hasKey: apiKey !== undefined,
      version: packageVersion(),
      accessLog: options.accessLog,
      maxBodyBytes,
      bodies: new HeldBodies(heldBodyBytes(options)),
      codings: new ContentCodings(maxBodyBytes),
      timeouts: {
        headersMs: options.headersTimeoutS * 1_000,
        requestMs: options.bodyTimeoutS * 1_000,
        idleMs: IDLE_TIMEOUT_MS,
        keepAliveMs: KEEP_ALIVE_MS,
      },
      isStopping: () => this.#isStopping,
    };
    const portOptions = { processes, apiKey, allowedHosts: hosts, clock: this.#clock };
    const server = createServePort(serverOptions, portOptions);
    const certificateNames = tls?.names;
    const actualPort = await server.listen(port, host);
    const { url } = coordinatorAddresses({ host, port: actualPort, publicUrl, certificateNames });
    const stopRenewing = keepRenewed({ source: tls, server, clock: this.#clock, log: this.#log });
    this.#listening = {
      server,
      url,
      port: actualPort,
      options: { ...options, port, host },
      authority: tls?.authority,
      stopRenewing,
    };
    this.#reporter?.start();
    if (apiKey !== undefined || !isShared(host, publicUrl)) return;
    this.#log({
      level: 'warn',
      message:
        `serve: ANYBODY WHO REACHES ${publicUrl ?? `${host}, port ${actualPort},`} GETS PREDICTIONS, without a key. ` +
        'Give a key (apiKey, or TABGRAD_API_KEY for tabgrad serve), or listen on 127.0.0.1 alone.',
    });
  }

  async #closeIfUnused(): Promise<void> {
    if (this.#apps.size > 0 || !this.#listening) return;
    const { server, stopRenewing } = this.#listening;
    stopRenewing();
    this.#listening = undefined;
    await this.#reporter?.stop();
    await server.close();
  }

  /** For the coordinator. */
  #look(): SeenServer | undefined {
    const server = this.#listening && {
      ...this.#listening,
      serverId: this.#serverId,
      isStopping: this.#isStopping,
    };
    return server && seenServer(server, this.#apps, this.#metrics);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(change);
    this.#changes = turn.catch(() => undefined);
    return turn;
  }
}

/** Without a byte either way; longer than a request may take. */
const IDLE_TIMEOUT_MS = 10 * 60_000;
/** Longer than balancers keep theirs, so that they are the ones who close. */
const KEEP_ALIVE_MS = 65_000;
/** For a caller to read what was answered, while the server shuts down. */
const WRITE_OUT_MS = 5_000;

function noCoordinator(): never {
  throw new ServeArgumentError('restore() needs a coordinator: new Serve({ coordinator }).', {
    field: 'coordinator',
  });
}
