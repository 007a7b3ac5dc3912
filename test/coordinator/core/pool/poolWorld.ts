// A pool on a manual clock, and workers at the other end of its connections.

import { ManualClock } from '../../../setup/manualClock.ts';
import type { ConnectionEvents } from '../../../../coordinator/core/pool/controlConnection.ts';
import { Pool } from '../../../../coordinator/core/pool/pool.ts';
import type { PoolOptions } from '../../../../coordinator/core/pool/poolOptions.ts';
import type { PoolEvent } from '../../../../coordinator/core/pool/poolWorker.ts';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type CoordinatorMessageOf,
} from '../../../../shared/protocol/control.ts';

export const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 2,
};

/** The worker's end of a connection. */
export class Client {
  readonly received: CoordinatorMessage[] = [];
  pings = 0;
  answersPings = true;
  closed: { code: number; reason: string } | undefined;
  wasTerminated = false;
  readonly end: ConnectionEvents;

  /** What the worker has not taken of what was sent. */
  unreadBytes = 0;

  constructor(pool: Pool, remoteAddress = '192.0.2.7') {
    const unreadBytes = (): number => this.unreadBytes;
    this.end = pool.attach({
      remoteAddress,
      get bufferedBytes() {
        return unreadBytes();
      },
      send: (text) => void this.received.push(JSON.parse(text) as CoordinatorMessage),
      ping: () => {
        this.pings += 1;
        if (this.answersPings) this.end.pong();
      },
      close: (code, reason) => void (this.closed = { code, reason }),
      terminate: () => void (this.wasTerminated = true),
    });
  }

  say(message: unknown): this {
    this.end.message(typeof message === 'string' ? message : JSON.stringify(message));
    return this;
  }

  get welcome(): CoordinatorMessageOf<'welcome'> {
    const message = this.received.find((one) => one.type === 'welcome');
    if (message?.type !== 'welcome') throw new Error(`no welcome, but ${JSON.stringify(this.received)}`);
    return message;
  }

  get refusal(): CoordinatorMessageOf<'refused'> | undefined {
    return this.received.find((one) => one.type === 'refused');
  }
}

export interface PoolWorld {
  readonly clock: ManualClock;
  readonly pool: Pool;
  readonly events: PoolEvent[];
}

export function startPool(options: Partial<PoolOptions> = {}): PoolWorld {
  const clock = new ManualClock();
  const pool = new Pool({
    clock,
    log: () => undefined,
    peerServer: { path: '/peerjs', key: 'k' },
    iceServers: () => [],
    pingIntervalMs: 1_000,
    graceMs: 10_000,
    ...options,
  });
  const events: PoolEvent[] = [];
  pool.on((event) => events.push(event));
  return { clock, pool, events };
}

/** Why workers were lost. */
export const lossesOf = (events: readonly PoolEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'lost' ? [event.reason] : []));
