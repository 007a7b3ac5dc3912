// Starts a coordinator: one HTTP server with the pages, the API, blobs, control, signalling and the relay around a pool
// of workers and the runs that they work on.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import { BlobStore } from '../blobs/blobStore.ts';
import { systemClock } from '../pool/clock.ts';
import type { Clock } from '../pool/clock.ts';
import type { Log } from '../pool/log.ts';
import { Pool } from '../pool/pool.ts';
import { makeSecret } from '../pool/secrets.ts';
import type { RunHandle, RunRequest } from '../run/runRequest.ts';
import { AccessControl } from './access.ts';
import { allowedHosts, coordinatorAddresses, isLoopback } from './addresses.ts';
import { controlSockets } from './controlSockets.ts';
import { createHttpServer, listen } from './httpServer.ts';
import type { HttpTimeouts } from './httpServer.ts';
import { blobRoutes } from './routes/blobRoutes.ts';
import { builtPageFolder, pageRoutes } from './routes/pageRoutes.ts';
import { TrafficMeter } from './trafficMeter.ts';
import type { Traffic } from './trafficMeter.ts';
import { UpgradeDispatcher } from './upgradeDispatcher.ts';

export interface CoordinatorOptions {
  /** 0 takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Where blobs are kept; without it a temporary folder that is removed on close. */
  readonly storagePath?: string;
  /** Workers must have it to join. */
  readonly joinToken?: string;
  /** Needed for the API. Without it a coordinator that listens beyond this machine makes one. */
  readonly adminToken?: string;
  /** The address under which volunteers reach the coordinator through a proxy or tunnel. */
  readonly publicUrl?: string;
  /** Origins of other web pages that may talk to this coordinator. */
  readonly allowedOrigins?: readonly string[];
  readonly iceServers?: CoordinatorMessageOf<'welcome'>['iceServers'];
  readonly maxBlobBytes?: number;
  readonly graceMs?: number;
  readonly pingIntervalMs?: number;
  readonly pageFolder?: string;
  readonly timeouts?: HttpTimeouts;
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface Coordinator {
  /** Its address for programs on this machine, e.g. "http://127.0.0.1:7070". */
  readonly url: string;
  /** What a volunteer opens; has the join token in it, where there is one. */
  readonly joinUrl: string;
  readonly adminToken: string | undefined;
  readonly blobs: BlobStore;
  readonly pool: Pool;
  /** @throws RunExistsError, RunRequestInvalidError */
  startRun(request: RunRequest): RunHandle;
  /** Bytes on the wire since the start, by what they were for. */
  traffic(): Traffic;
  /** Ends runs, says goodbye to workers and stops listening. Idempotent. */
  close(): Promise<void>;
}

const GIBIBYTE = 1024 ** 3;

/** @throws PortInUseError, ListenError, StorageError */
export async function startCoordinator(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const {
    port = 7070,
    host = '127.0.0.1',
    joinToken,
    publicUrl,
    clock = systemClock,
    log = () => undefined,
  } = options;
  const adminToken = options.adminToken ?? (isLoopback(host) ? undefined : makeSecret());
  const temporary = options.storagePath === undefined ? await mkdtemp(join(tmpdir(), 'tabgrad-')) : undefined;
  const blobs = await BlobStore.open(join(options.storagePath ?? temporary ?? '', 'blobs'));
  const pool = new Pool({
    clock,
    log,
    joinToken,
    peerServer: { path: '/peerjs', key: 'tabgrad' },
    iceServers: options.iceServers ?? [],
    ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
    ...(options.pingIntervalMs !== undefined && { pingIntervalMs: options.pingIntervalMs }),
  });
  const meter = new TrafficMeter();
  const access = new AccessControl({
    adminToken,
    joinToken,
    allowedHosts: allowedHosts(host, publicUrl),
    allowedOrigins: options.allowedOrigins ?? [],
  });

  const sockets = controlSockets((connection) => pool.attach(connection));
  const upgrades = new UpgradeDispatcher(access, meter);
  upgrades.mount('/control', 'control', sockets.handleUpgrade);

  const routes = [
    ...blobRoutes(blobs, options.maxBlobBytes ?? GIBIBYTE),
    ...pageRoutes(
      options.pageFolder ?? builtPageFolder(),
      () => `tabgrad coordinator, ${pool.workers().length} workers\n`,
    ),
  ];
  const server = createHttpServer({ routes, access, meter, log, timeouts: options.timeouts });
  server.on('upgrade', (request, socket, head) => upgrades.dispatch(request, socket, head));

  const removeTemporary = async (): Promise<void> => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  let boundPort: number;
  try {
    boundPort = await listen(server, port, host);
  } catch (error) {
    await removeTemporary();
    throw error;
  }

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    upgrades.close();
    pool.close('the coordinator is closing');
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sockets.close();
    server.closeAllConnections();
    await closed;
    await removeTemporary();
  };
  return {
    ...coordinatorAddresses(host, boundPort, publicUrl, joinToken),
    adminToken,
    blobs,
    pool,
    startRun: () => {
      throw new Error('runs are not driven yet');
    },
    traffic: () => meter.totals(),
    close: () => (closing ??= close()),
  };
}
