// Control WebSockets of `ws`, made into the pool's connections.

import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { MAX_CONTROL_MESSAGE_BYTES } from '../../shared/protocol/control.ts';
import type { ConnectionEvents, ControlConnection } from '../pool/controlConnection.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import type { UpgradeHandler } from './upgradeDispatcher.ts';

export interface ControlSockets {
  readonly handleUpgrade: UpgradeHandler;
  /** Waits a moment for farewells to be answered, then drops what is left. */
  close(): Promise<void>;
}

const FAREWELL_MS = 1_000;

export function controlSockets(
  attach: (connection: ControlConnection) => ConnectionEvents,
  addressOf: (request: IncomingMessage) => string,
): ControlSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CONTROL_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return {
    handleUpgrade: (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (webSocket) => bind(webSocket, addressOf(request), attach)),
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

function bind(
  webSocket: WebSocket,
  remoteAddress: string,
  attach: (connection: ControlConnection) => ConnectionEvents,
): void {
  const events = attach({
    remoteAddress,
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send: (text) => webSocket.send(text),
    ping: () => webSocket.ping(),
    close: (code, reason) => webSocket.close(code, reason),
    terminate: () => webSocket.terminate(),
  });
  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) webSocket.close(closeCodes.policy, 'control messages are text');
    else events.message((data as Buffer).toString('utf8'));
  });
  webSocket.on('pong', () => events.pong());
  // A close event follows every error and carries its code.
  webSocket.on('error', () => undefined);
  webSocket.on('close', (code, reason) => events.closed(code, reason.toString('utf8')));
}
