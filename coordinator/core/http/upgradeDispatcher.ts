// The one place that decides what becomes of a WebSocket handshake: by path to whoever serves it, else refused.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import type { Log } from '../../log/log.ts';
import { makeId } from '../pool/secrets.ts';
import { logFailure, socketName } from '../../http/logFailure.ts';
import { refuseUpgrade } from '../../http/refuseSocket.ts';
import { stripPublicPath } from './publicPath.ts';
import type { Access, AccessControl } from './access.ts';
import { CoordinatorClosedError, NotFoundError } from '../../http/httpErrors.ts';
import type { TrafficClass, TrafficMeter } from './trafficMeter.ts';

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Mount {
  readonly path: string;
  readonly traffic: TrafficClass;
  readonly handle: UpgradeHandler;
  readonly access: Access;
}

export class UpgradeDispatcher {
  readonly #mounts: Mount[] = [];
  readonly #access: AccessControl;
  readonly #meter: TrafficMeter;
  readonly #publicPath: string;
  readonly #log: Log;
  #closed = false;

  /** @param publicPath is taken off the paths of handshakes. */
  constructor(access: AccessControl, meter: TrafficMeter, publicPath: string, log: Log) {
    this.#access = access;
    this.#meter = meter;
    this.#publicPath = publicPath;
    this.#log = log;
  }

  /** Sends handshakes for `path` to `handle`; those who may by `access`. */
  mount(path: string, traffic: TrafficClass, handle: UpgradeHandler, access: Access = 'public'): void {
    this.#mounts.push({ path, traffic, handle, access });
  }

  close(): void {
    this.#closed = true;
  }

  dispatch(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A handshake's socket has no other listener until somebody takes it over; a reset then must not end the process.
    socket.on('error', () => socket.destroy());
    const address = this.#access.addressOf(request);
    try {
      if (this.#closed) throw new CoordinatorClosedError('The coordinator is closing');
      this.#access.checkHost(request);
      this.#access.checkOrigin(request);
      stripPublicPath(request, this.#publicPath);
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const mount = this.#mounts.find((one) => path === one.path);
      if (!mount) throw new NotFoundError(`No WebSocket is served at ${path.slice(0, 200)}`);
      this.#access.checkToken(request, mount.access);
      if (socket instanceof Socket) this.#meter.assign(socket, mount.traffic);
      mount.handle(request, socket, head);
    } catch (error) {
      logFailure({ log: this.#log, what: socketName(request), address, id: makeId() }, error);
      refuseUpgrade(error, socket);
    }
  }
}
