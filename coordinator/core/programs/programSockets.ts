// The sockets that workers dial for programs: each says whose it is, and becomes the pipe that somebody waits for.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { MAX_PROGRAM_FRAME_BYTES, programJoin } from '../../../shared/protocol/program.ts';
import { boundMessages } from '../../bounds/boundMessages.ts';
import { ByteBudget, type HeldBytes } from '../../bounds/byteBudget.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import type { UpgradeHandler } from '../http/upgradeDispatcher.ts';
import type { ProgramPipe } from './programPipe.ts';
import { WebSocketPipe } from './webSocketPipe.ts';

/** Of the first message, which says whose the socket is. */
export const MAX_JOIN_BYTES = 4 * 1024;
/** A frame of the largest size at 2 Mbit/s. */
export const FRAME_TIMEOUT_MS = 300_000;
const JOIN_TIMEOUT_MS = 10_000;
const REFUSAL_MS = 1_000;
/** Of the unfinished frames of all programs, and of those of one worker. */
const MAX_UNFINISHED_BYTES = 1024 * 1024 * 1024;
const MAX_UNFINISHED_BYTES_EACH = MAX_UNFINISHED_BYTES / 2;

export interface ProgramSocketOptions {
  readonly clock: Clock;
  /** Counts a socket until the returned function is called. @throws when there are too many. */
  readonly admit: (request: IncomingMessage) => () => void;
  /** Whether `secret` is that of the worker. */
  readonly authorize: (workerId: string, secret: string, request: IncomingMessage) => boolean;
  /** Takes the pipe over; false when nobody waits for this instance on this worker. */
  readonly accept: (workerId: string, instanceId: string, pipe: ProgramPipe) => boolean;
}

export interface ProgramSockets {
  readonly handleUpgrade: UpgradeHandler;
  close(): Promise<void>;
}

export function programSockets(options: ProgramSocketOptions): ProgramSockets {
  const { clock, admit, authorize, accept } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PROGRAM_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const unfinished = new ByteBudget({
    maxBytes: MAX_UNFINISHED_BYTES,
    maxBytesEach: MAX_UNFINISHED_BYTES_EACH,
  });
  const greet = (socket: WebSocket, stream: Duplex, request: IncomingMessage, joined: () => void): void => {
    let held: HeldBytes | undefined;
    let maxMessageBytes = MAX_JOIN_BYTES;
    const cut = (): void => socket.terminate();
    const refuse = (why: string): void => {
      maxMessageBytes = 0;
      socket.close(closeCodes.policy, why);
      cancelTimer = clock.after(REFUSAL_MS, cut);
    };
    boundMessages(stream, {
      clock,
      maxMessageBytes: () => maxMessageBytes,
      messageTimeoutMs: () => FRAME_TIMEOUT_MS,
      hold: (bytes) => held?.set(bytes),
      cut,
    });
    let cancelTimer = clock.after(JOIN_TIMEOUT_MS, () => refuse('it did not say whose it is'));
    socket.on('error', cut);
    socket.once('close', () => {
      cancelTimer();
      held?.release();
    });
    socket.once('message', (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      cancelTimer();
      const join = isBinary ? undefined : readJoin((data as Buffer).toString('utf8'));
      if (!join) return refuse('it did not say whose it is');
      if (!authorize(join.workerId, join.secret, request)) return refuse('the secret is wrong');
      if (!accept(join.workerId, join.instanceId, new WebSocketPipe(socket)))
        return refuse('nobody waits for it');
      joined();
      held = unfinished.open(join.workerId, cut);
      maxMessageBytes = MAX_PROGRAM_FRAME_BYTES;
    });
  };
  return {
    handleUpgrade: (request, socket, head) => {
      const joinedOrGone = admit(request);
      socket.once('close', joinedOrGone);
      server.handleUpgrade(request, socket, head, (webSocket) =>
        greet(webSocket, socket, request, joinedOrGone),
      );
    },
    close: () => {
      for (const client of server.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readJoin(text: string): ReturnType<typeof programJoin.parse> | undefined {
  try {
    return programJoin.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
