// Seats for owners in other processes: passes frames on between the owner's socket and the worker's.

import { WebSocketServer, type WebSocket } from 'ws';
import { MAX_PROGRAM_FRAME_BYTES } from '../../shared/protocol/program.ts';
import type { UpgradeHandler } from '../server/upgradeDispatcher.ts';
import type { Seat, SeatSource } from './programPipe.ts';
import type { ProgramSockets } from './programSockets.ts';
import { seatRequest, type SeatNews, type SeatRequest } from './seatMessages.ts';
import { WebSocketPipe } from './webSocketPipe.ts';

export function seatSockets(seats: SeatSource): ProgramSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PROGRAM_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const handleUpgrade: UpgradeHandler = (request, socket, head) =>
    server.handleUpgrade(request, socket, head, (client) => greet(client, seats));
  return {
    handleUpgrade,
    close: () => {
      for (const client of server.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function greet(socket: WebSocket, seats: SeatSource): void {
  const gone = new AbortController();
  let isAsked = false;
  const owner = new WebSocketPipe(socket, (text) => {
    const request = isAsked ? undefined : readRequest(text);
    if (!request) return owner.close('the first message asks for a seat, and there is no second');
    isAsked = true;
    void give(request);
  });
  const tell = (news: SeatNews): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(news));
  };
  void owner.closed.then(() => gone.abort());
  const give = async ({ demand }: SeatRequest): Promise<void> => {
    let seat: Seat;
    try {
      seat = await seats.seat(demand, {
        signal: gone.signal,
        onWaiting: (reason) => tell({ type: 'waiting', reason: reason.slice(0, 4000) }),
      });
    } catch {
      return owner.close('the coordinator gives no seats');
    }
    const { pipe, worker } = seat;
    tell({ type: 'seated', worker });
    void seat.leaving.then((reason) => tell({ type: 'leaving', reason: reason.slice(0, 500) }));
    void pipe.closed.then((reason) => owner.close(reason));
    void owner.closed.then(() => pipe.close('its owner is gone'));
    owner.onFrame((frame) => pipe.send(frame));
    pipe.onFrame((frame) => owner.send(frame));
  };
}

function readRequest(text: string): SeatRequest | undefined {
  try {
    return seatRequest.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
