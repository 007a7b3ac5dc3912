// The sockets that workers dial for programs: each says whose it is, and becomes the pipe that somebody waits for.

import { WebSocketServer, type WebSocket } from 'ws';
import { MAX_PROGRAM_FRAME_BYTES, programJoin } from '../../shared/protocol/program.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import type { UpgradeHandler } from '../server/upgradeDispatcher.ts';
import type { ProgramPipe } from './programPipe.ts';
import { WebSocketPipe } from './webSocketPipe.ts';

const JOIN_TIMEOUT_MS = 10_000;

export interface ProgramSocketOptions {
  /** Whether `secret` is that of the worker. */
  readonly authorize: (workerId: string, secret: string) => boolean;
  /** Takes the pipe over; false when nobody waits for this instance on this worker. */
  readonly accept: (workerId: string, instanceId: string, pipe: ProgramPipe) => boolean;
}

export interface ProgramSockets {
  readonly handleUpgrade: UpgradeHandler;
  close(): Promise<void>;
}

export function programSockets({ authorize, accept }: ProgramSocketOptions): ProgramSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PROGRAM_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const greet = (socket: WebSocket): void => {
    const refuse = (why: string): void => socket.close(closeCodes.policy, why);
    const timer = setTimeout(() => refuse('it did not say whose it is'), JOIN_TIMEOUT_MS);
    socket.on('error', () => socket.terminate());
    socket.once('close', () => clearTimeout(timer));
    socket.once('message', (data, isBinary) => {
      clearTimeout(timer);
      const join = isBinary ? undefined : readJoin((data as Buffer).toString('utf8'));
      if (!join) return refuse('it did not say whose it is');
      if (!authorize(join.workerId, join.secret)) return refuse('the secret is wrong');
      if (!accept(join.workerId, join.instanceId, new WebSocketPipe(socket))) refuse('nobody waits for it');
    });
  };
  return {
    handleUpgrade: (request, socket, head) => server.handleUpgrade(request, socket, head, greet),
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
