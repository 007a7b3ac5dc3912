// All WebSockets of the coordinator: workers' control, signalling, relay and programs, and the slots of owners.

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../shared/clock.ts';
import { PROGRAM_PATH } from '../../../shared/protocol/program.ts';
import type { Attempt } from '../pool/attemptThrottle.ts';
import type { Log } from '../../log/log.ts';
import type { Pool } from '../pool/pool.ts';
import { shareRun } from '../pool/shareRun.ts';
import type { WorkerProofs } from '../pool/workerProofs.ts';
import type { ProgramHost } from '../programs/programHost.ts';
import { programSockets } from '../programs/programSockets.ts';
import { SLOT_PATH } from '../programs/slotMessages.ts';
import { slotSockets } from '../programs/slotSockets.ts';
import { mountPeerServer } from '../signalling/peerServer.ts';
import { mountRelay, RELAY_PATH } from '../signalling/relay.ts';
import { controlSockets } from './controlSockets.ts';
import { logRefusal, socketName } from '../../http/logFailure.ts';
import type { TrustedProxies } from '../http/proxies.ts';
import { UnjoinedSockets } from '../http/unjoinedSockets.ts';
import type { UpgradeDispatcher } from '../http/upgradeDispatcher.ts';

export const PEER_SERVER = { path: '/peerjs', key: 'tabgrad' } as const;

interface SocketParts {
  readonly upgrades: UpgradeDispatcher;
  readonly pool: Pool;
  readonly workers: WorkerProofs;
  readonly proxies: TrustedProxies;
  readonly programs: ProgramHost;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MountedSockets {
  /** Payload bytes that a worker sent over the relay. */
  readonly relayedBytes: (workerId: string) => number;
  readonly close: () => Promise<void>;
}

export function mountSockets(parts: SocketParts): MountedSockets {
  const { upgrades, pool, workers, proxies, programs, clock, log } = parts;
  const unjoined = new UnjoinedSockets(proxies);
  const control = controlSockets({
    clock,
    attach: (connection) => pool.attach(connection),
    addressOf: (request) => proxies.clientAddress(request),
    unjoined,
  });
  const isRight = (request: IncomingMessage, { type }: Attempt): boolean => {
    if (type === 'wrong' || type === 'throttled') {
      const message = 'The secret of the worker is wrong.';
      logRefusal(log, socketName(request), proxies.clientAddress(request), message);
    }
    return type === 'right';
  };
  const authorize = (workerId: string, secret: string, request: IncomingMessage): boolean =>
    isRight(request, workers.bySecret({ workerId, secret, address: proxies.clientAddress(request) }));
  const admit = (request: IncomingMessage): (() => void) => unjoined.admit(request);
  const mayMeet = (one: string, other: string): boolean => shareRun(pool, one, other);
  const peerServer = mountPeerServer({
    ...PEER_SERVER,
    clock,
    authorize: (workerId, secret, request) =>
      isRight(
        request,
        workers.bySignallingToken({ workerId, secret, address: proxies.clientAddress(request) }),
      ),
    mayMeet,
  });
  const relay = mountRelay({ clock, admit, authorize, mayMeet });
  pool.on((event) => {
    if (event.type !== 'lost') return;
    peerServer.drop(event.worker.workerId);
    relay.drop(event.worker.workerId);
  });
  const called = programSockets({
    clock,
    admit,
    authorize,
    accept: (workerId, instanceId, pipe) => programs.accept(workerId, instanceId, pipe),
  });
  upgrades.mount(PROGRAM_PATH, 'programs', called.handleUpgrade);
  const owners = slotSockets(programs, clock);
  upgrades.mount(SLOT_PATH, 'programs', owners.handleUpgrade, 'admin');
  upgrades.mount('/control', 'control', control.handleUpgrade);
  upgrades.mount(peerServer.upgradePath, 'signalling', (...handshake) =>
    peerServer.handleUpgrade(...handshake),
  );
  upgrades.mount(RELAY_PATH, 'relay', (...handshake) => relay.handleUpgrade(...handshake));
  return {
    relayedBytes: (workerId) => relay.sentBytes(workerId),
    close: async () => {
      await Promise.all([control.close(), called.close(), owners.close(), peerServer.close(), relay.close()]);
    },
  };
}
