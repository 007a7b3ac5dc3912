// Starts a coordinator: one HTTP server with the pages, the API, blobs, control, signalling and the relay around a pool
// of workers and the runs that they work on.

import { ProjectStore } from '../project/project.ts';
import { projectRoutes } from '../routes/projectRoutes.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import { sweepBlobs } from '../blobs/sweepBlobs.ts';
import { BlobChecks } from '../blobs/blobChecks.ts';
import { WorkerUploads } from '../blobs/workerUploads.ts';
import type { TabgradError } from '../../../kernels/errors.ts';
import { systemClock } from '../../../shared/clock.ts';
import { BanList } from '../pool/banList.ts';
import { logOrStderr } from '../../log/logWriter.ts';
import { AttemptThrottle } from '../pool/attemptThrottle.ts';
import { Pool } from '../pool/pool.ts';
import { TrustLedger } from '../pool/trustLedger.ts';
import { WorkerProofs } from '../pool/workerProofs.ts';
import { makeSecret } from '../pool/secrets.ts';
import { poolCheckResults, type CheckResults } from '../programs/checkResults.ts';
import { ProgramHost } from '../programs/programHost.ts';
import type { SlotSource } from '../programs/programPipe.ts';
import { openAuditor } from '../trust/openAuditor.ts';
import { RunRegistry } from '../run/runRegistry.ts';
import type { RunHandle, RunRequest } from '../run/runRequest.ts';
import { recipeBlobs } from '../store/serveRecord.ts';
import type { ServeRecord } from '../store/serveRecord.ts';
import type { ExperimentRecord } from '../store/experimentRecord.ts';
import { openTls } from '../tls/openTls.ts';
import { keepRenewed, type AuthorityCertificate } from '../tls/tlsSource.ts';
import { AccessControl } from '../http/access.ts';
import { allowedHosts, coordinatorAddresses, type Addresses } from '../http/addresses.ts';
import { mountSockets, PEER_SERVER } from './mountSockets.ts';
import { publicPathOf } from '../http/publicPath.ts';
import { TrustedProxies } from '../http/proxies.ts';
import { iceServersFor, type IceServer } from './iceServers.ts';
import { renewIceServers } from './renewIceServers.ts';
import { createCoordinatorServer } from '../http/httpServer.ts';
import { Moderation } from '../http/moderation.ts';
import { applicationRoutes } from '../routes/applicationRoutes.ts';
import { authorityRoutes } from '../routes/authorityRoutes.ts';
import { blobRoutes } from '../routes/blobRoutes.ts';
import { checkRoutes } from '../routes/checkRoutes.ts';
import { datasetRoutes } from '../routes/datasetRoutes.ts';
import { moderationRoutes } from '../routes/moderationRoutes.ts';
import { experimentRoutes, experimentSummaries } from '../routes/experimentRoutes.ts';
import { builtPageFolder, pageRoutes } from '../routes/pageRoutes.ts';
import { runRoutes } from '../routes/runRoutes.ts';
import { runViewRoutes } from '../routes/runViewRoutes.ts';
import { statusRoutes, statusText } from '../routes/statusRoutes.ts';
import { workerRoutes } from '../routes/workerRoutes.ts';
import { ServingBoard } from '../serving/servingBoard.ts';
import type { ServingReports } from '../serving/servingReports.ts';
import { CoordinatorClosedError } from '../../http/httpErrors.ts';
import { openStorage } from './storage.ts';
import { checkCoordinatorOptions, type CoordinatorOptions } from './coordinatorOptions.ts';
import { Tokens } from '../http/tokens.ts';
import { Invitations } from '../http/invitations.ts';
import { invitationRoutes } from '../routes/invitationRoutes.ts';
import { TrafficMeter } from '../http/trafficMeter.ts';
import type { Traffic } from '../http/trafficMeter.ts';
import { UpgradeDispatcher } from '../http/upgradeDispatcher.ts';

/** A coordinator that is up: its addresses and tokens, and what runs on it. */
export interface Coordinator {
  /** Its address for programs on this machine, e.g. "http://127.0.0.1:7070". */
  readonly url: string;
  /** What a volunteer opens; has the join token in it. */
  readonly joinUrl: string;
  /** The tokens in force: `admin` for the API, `join` for workers, `local` for workers that this process starts. */
  readonly tokens: Tokens;
  /** Join links for so many workers, until some time. */
  readonly invitations: Invitations;
  /** Sends workers away, bans them, changes tokens. */
  readonly moderation: Moderation;
  /** Whose certificate workers and browsers have to trust, where the coordinator made its own. */
  readonly authority: AuthorityCertificate | undefined;
  readonly blobs: BlobStore;
  readonly pool: Pool;
  /** The record of what is served: for `new Serve({ coordinator })`. */
  readonly deployments: ServeRecord;
  /** Is told how what is served goes, by servers in this process. */
  readonly serving: ServingReports;
  /** The record of tuning experiments. */
  readonly experiments: ExperimentRecord;
  /** Gives workers to programs: see openProgram. */
  readonly slots: SlotSource;
  /** Is told what checks of workers' answers show. */
  readonly checkResults: CheckResults;
  /** @throws RunExistsError, RunRequestInvalidError */
  startRun(request: RunRequest): RunHandle;
  /** Bytes on the wire since the start, by what they were for. */
  traffic(): Traffic;
  /** Resolves when another coordinator got the record: this one is of no use any more and should be closed. */
  readonly lost: Promise<TabgradError>;
  /** Ends runs, says goodbye to workers and stops listening. Idempotent. */
  close(): Promise<void>;
}

/** Of servers in this process that listen on all addresses. */
const OWN_ADDRESS = '127.0.0.1';

/**
 * @throws CoordinatorOptionError, PortInUseError, ListenError, StorageError, StorageFullError, StorageInUseError, StorageVersionError,
 *   TlsFileError, TlsCertificateError, TokenInvalidError, ProjectInvalidError
 */
export async function startCoordinator(given: CoordinatorOptions = {}): Promise<Coordinator> {
  const options = checkCoordinatorOptions(given);
  const { port, host, publicUrl, clock = systemClock } = options;
  const { log, close: closeLog } = logOrStderr(options.log);
  const startedAtMs = clock.now();
  const ice = options.ice;
  const makeIceServers = iceServersFor(ice);
  const iceServers = (workerId: string): IceServer[] => makeIceServers(workerId, Date.now() / 1000);
  const proxies = new TrustedProxies(options.trustedProxies);
  const tls = options.tls && (await openTls(options.tls, host, publicUrl, log));
  let takenOver!: (error: TabgradError) => void;
  const lost = new Promise<TabgradError>((resolve) => (takenOver = resolve));
  const storage = await openStorage(options, log, takenOver);
  const { blobs, store } = storage;
  const known = { admin: options.adminToken, join: options.joinToken };
  const tokens = await Tokens.open(store, known, log).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
  const project = await ProjectStore.open(store, options.project).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
  const bans = await BanList.open(store.bans);
  const invitations = await Invitations.open({ record: store.invitations, log });
  const attempts = new AttemptThrottle(clock);
  const trust = await TrustLedger.open({ record: store.trust, bans, clock, log });
  const pool = new Pool({
    clock,
    log,
    joinTokens: () => [...tokens.joining, ...invitations.tokens()],
    joinLimits: invitations,
    isOwners: ({ joinToken }) => joinToken === tokens.local || invitations.isTrusted(joinToken),
    trust,
    attempts,
    bans,
    maxWorkersPerAddress: options.maxWorkersPerAddress,
    peerServer: PEER_SERVER,
    identityKey: await store.setting('identityKey', makeSecret),
    iceServers,
    graceMs: options.graceMs,
    pingIntervalMs: options.pingIntervalMs,
  });
  const workers = new WorkerProofs(pool, attempts);
  const { maxBlobBytes } = options;
  const checks = new BlobChecks(blobs, clock);
  const uploads = new WorkerUploads({
    blobs,
    clock,
    log,
    maxBytes: (workerId) => Math.min(maxBlobBytes, runs.maxUploadBytes(pool.worker(workerId)?.runId ?? '')),
    inUse: () => runs.blobsInUse(),
  });
  const runs = await RunRegistry.open({
    pool,
    blobs,
    clock,
    log,
    timing: options.runTiming,
    maxUnprovenShare: options.maxUnprovenShare,
    record: store.runs,
    checks: options.checkWork,
    auditor: ({ spec }) => openAuditor(blobs, spec),
    durable: storage.durable,
    onStored: (sha256) => uploads.named(sha256),
  });
  const programs = new ProgramHost({ pool, clock, log });
  const checkResults = poolCheckResults(pool);
  const publicPath = publicPathOf(publicUrl);
  for (const { name, status } of await store.deployments.all()) {
    if (status !== 'running') continue;
    await store.deployments.setStatus(name, 'stopped', 'The process that served it ended.');
  }
  const board = await ServingBoard.open({ store: store.serving, log, date: Date.now });
  const meter = new TrafficMeter();
  const access = new AccessControl({
    tokens,
    attempts,
    workers,
    allowedHosts: allowedHosts(host, publicUrl, tls?.names),
    proxies,
    allowedOrigins: [
      // What its own pages say when a proxy asks by another name.
      ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin]),
      ...options.allowedOrigins,
    ],
  });
  const upgrades = new UpgradeDispatcher(access, meter, publicPath, log);
  const sockets = mountSockets({ upgrades, pool, workers, proxies, programs, clock, log });

  const addressesAt = (actualPort: number, joinToken = tokens.join): Addresses =>
    coordinatorAddresses({
      host: boundHost,
      port: actualPort,
      publicUrl,
      joinToken,
      certificateNames: tls?.names,
    });
  let actualPort = port;
  let boundHost = host;
  const joinUrl = (): string => addressesAt(actualPort).joinUrl;
  const moderation = new Moderation({ pool, bans, trust, tokens });
  const traffic = (): Traffic => meter.totals();
  const status = {
    pool,
    runs,
    traffic,
    applications: () => store.deployments.all(),
    experiments: () => experimentSummaries(store.experiments),
    uptimeMs: () => clock.now() - startedAtMs,
    joinUrl,
  };
  const routes = [
    ...blobRoutes({ blobs, checks, uploads, maxBlobBytes, log }),
    ...statusRoutes(status),
    ...workerRoutes({ pool, runs, now: () => clock.now(), relayedBytes: sockets.relayedBytes }),
    ...runRoutes(runs, blobs),
    ...runViewRoutes(runs, store.runs, blobs),
    ...moderationRoutes(moderation, joinUrl),
    ...checkRoutes(checkResults),
    ...invitationRoutes({
      invitations,
      pool,
      joinUrlOf: (token) => addressesAt(actualPort, token).joinUrl,
    }),
    ...experimentRoutes(store.experiments),
    ...datasetRoutes(store.datasets, runs),
    ...applicationRoutes({ board, recorded: () => store.deployments.all(), datasets: store.datasets }),
    ...projectRoutes(project),
    ...(tls?.authority === undefined ? [] : authorityRoutes(() => tls.authority)),
    ...pageRoutes(options.pageFolder ?? builtPageFolder(), access, () => statusText(status)),
  ];
  const server = createCoordinatorServer({
    routes,
    access,
    meter,
    log,
    publicPath,
    timeouts: options.timeouts,
    standsForMany: (address) => proxies.isTrusted(address),
    tls: tls?.credentials,
    // A browser that once heard it refuses to connect past a warning, and with a self-made authority there may be one.
    strictTransport: tls !== undefined && tls.authority === undefined,
    upgrade: (request, socket, head) => upgrades.dispatch(request, socket, head),
  });
  try {
    actualPort = await server.listen(port, host);
    // The name stands for two addresses, and another program may listen on the other one.
    if (host === 'localhost') boundHost = server.address.address;
  } catch (error) {
    await sockets.close();
    await runs.close(new CoordinatorClosedError('The coordinator could not start'));
    await storage.close();
    throw error;
  }
  const stopIceRenewal = renewIceServers({ settings: ice, iceServers, pool, clock });
  const stopRenewing = keepRenewed({ source: tls, server, clock, log });
  const stopSweeping = sweepBlobs({
    blobs,
    clock,
    log,
    inUse: async () => {
      const recipes = (await store.deployments.all()).map(({ recipe }) => recipe);
      return new Set([...(await runs.blobsToKeep()), ...recipeBlobs(recipes)]);
    },
  });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    upgrades.close();
    stopSweeping();
    uploads.close();
    stopRenewing();
    programs.close('the coordinator is closing');
    stopIceRenewal();
    await runs.close(new CoordinatorClosedError('The coordinator was closed while the run went on'));
    pool.close('the coordinator is closing');
    server.stop();
    await sockets.close();
    await server.close();
    await trust.close();
    await invitations.close();
    await storage.close();
    closeLog();
  };
  return {
    url: addressesAt(actualPort).url,
    get joinUrl() {
      return joinUrl();
    },
    tokens,
    invitations,
    moderation,
    get authority() {
      return tls?.authority;
    },
    blobs,
    pool,
    deployments: store.deployments,
    serving: {
      report: (name, report, host) => board.hear(name, report, isAnyAddress(host) ? OWN_ADDRESS : host),
      forget: (name) => board.forget(name),
    },
    experiments: store.experiments,
    slots: programs,
    checkResults,
    startRun: (request) => {
      if (closing) throw new CoordinatorClosedError('The coordinator is closed');
      return runs.start(request);
    },
    traffic,
    lost,
    close: () => (closing ??= close()),
  };
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
