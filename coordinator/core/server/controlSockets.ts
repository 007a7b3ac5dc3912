// Control WebSockets of `ws`, made into the pool's connections, and kept within bounds.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { MAX_CONTROL_MESSAGE_BYTES } from '../../../shared/protocol/control.ts';
import { boundMessages } from '../../bounds/boundMessages.ts';
import { ByteBudget } from '../../bounds/byteBudget.ts';
import type { ConnectionEvents, ControlConnection } from '../pool/controlConnection.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import { shareOf } from '../../bounds/addressShares.ts';
import type { UnjoinedSockets } from '../http/unjoinedSockets.ts';
import type { UpgradeHandler } from '../http/upgradeDispatcher.ts';

export interface ControlSockets {
  readonly handleUpgrade: UpgradeHandler;
  /** Waits a moment for goodbyes to be answered, then drops what is left. */
  close(): Promise<void>;
}

export interface ControlSocketOptions {
  readonly clock: Clock;
  readonly attach: (connection: ControlConnection) => ConnectionEvents;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly unjoined: UnjoinedSockets;
}

const FAREWELL_MS = 1_000;
/** The pool's own limit on silence is shorter where a message comes in one frame. */
const MESSAGE_TIMEOUT_MS = 30_000;
/** Of the unfinished messages of all workers: sixteen of the longest, thousands of the usual ones. */
const MAX_UNFINISHED_BYTES = 256 * 1024 * 1024;
/** RFC 6455: no status code was received. */
const NO_STATUS = 1006;

export function controlSockets(options: ControlSocketOptions): ControlSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CONTROL_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const unfinished = new ByteBudget({ maxBytes: MAX_UNFINISHED_BYTES });
  return {
    handleUpgrade: (request, socket, head) => {
      const joinedOrGone = options.unjoined.admit(request);
      socket.once('close', joinedOrGone);
      const address = options.addressOf(request);
      server.handleUpgrade(request, socket, head, (webSocket) =>
        bind(webSocket, socket, { ...options, address, unfinished, joinedOrGone }),
      );
    },
    close: async () => {
      const closed = [...server.clients].map(
        (webSocket) => new Promise<void>((resolve) => webSocket.once('close', () => resolve())),
      );
      const tooLong = setTimeout(() => {
        for (const webSocket of server.clients) webSocket.terminate();
      }, FAREWELL_MS);
      await Promise.all(closed);
      clearTimeout(tooLong);
      server.close();
    },
  };
}

interface Binding extends Pick<ControlSocketOptions, 'clock' | 'attach'> {
  readonly address: string;
  readonly unfinished: ByteBudget;
  readonly joinedOrGone: () => void;
}

function bind(webSocket: WebSocket, stream: Duplex, binding: Binding): void {
  const { clock, attach, address, unfinished, joinedOrGone } = binding;
  let cutReason = '';
  let isRefused = false;
  const cut = (why: string): void => {
    cutReason = why;
    webSocket.terminate();
  };
  const dropSoon = (): void => {
    isRefused = true;
    setTimeout(() => webSocket.terminate(), FAREWELL_MS).unref();
  };
  const events = attach({
    remoteAddress: address,
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send: (text) => webSocket.send(text),
    ping: () => webSocket.ping(),
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => webSocket.terminate(),
  });
  const held = unfinished.open(shareOf(address), () =>
    cut('its unfinished message takes the room of others'),
  );
  boundMessages(stream, {
    clock,
    maxMessageBytes: () => (isRefused ? 0 : events.maxMessageBytes),
    messageTimeoutMs: () => MESSAGE_TIMEOUT_MS,
    hold: (bytes) => held.set(bytes),
    cut,
  });
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (webSocket.readyState !== webSocket.OPEN) return;
    if (isBinary) {
      webSocket.close(closeCodes.policy, 'control messages are text');
      dropSoon();
      return;
    }
    events.message((data as Buffer).toString('utf8'));
    if (events.hasJoined) joinedOrGone();
  });
  webSocket.on('pong', () => events.pong());
  // What is no WebSocket: the library says so to the other end.
  webSocket.on('error', dropSoon);
  webSocket.on('close', (code, reason) => {
    held.release();
    events.closed(cutReason === '' ? code : NO_STATUS, cutReason || reason.toString('utf8'));
  });
}
