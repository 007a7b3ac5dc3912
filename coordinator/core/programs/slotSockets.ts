// Slots for owners in other processes: passes frames on between the owner's socket and the worker's.

import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../../../shared/clock.ts';
import { MAX_PROGRAM_FRAME_BYTES } from '../../../shared/protocol/program.ts';
import { boundMessages } from '../../bounds/boundMessages.ts';
import type { UpgradeHandler } from '../http/upgradeDispatcher.ts';
import { passFrames } from './passFrames.ts';
import type { Slot, SlotSource } from './programPipe.ts';
import { FRAME_TIMEOUT_MS, MAX_JOIN_BYTES, type ProgramSockets } from './programSockets.ts';
import { slotRequest, type SlotNews, type SlotRequest } from './slotMessages.ts';
import { WebSocketPipe } from './webSocketPipe.ts';

/** For an owner to say what is asked for. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Who may dial them is checked before. */
export function slotSockets(slots: SlotSource, clock: Clock): ProgramSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PROGRAM_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const handleUpgrade: UpgradeHandler = (request, socket, head) =>
    server.handleUpgrade(request, socket, head, (client) => greet(client, socket, slots, clock));
  return {
    handleUpgrade,
    close: () => {
      for (const client of server.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function greet(socket: WebSocket, stream: Duplex, slots: SlotSource, clock: Clock): void {
  const gone = new AbortController();
  let isAsked = false;
  let maxMessageBytes = MAX_JOIN_BYTES;
  const cut = (): void => socket.terminate();
  boundMessages(stream, {
    clock,
    maxMessageBytes: () => maxMessageBytes,
    messageTimeoutMs: () => FRAME_TIMEOUT_MS,
    hold: () => undefined,
    cut,
  });
  const cancelTimer = clock.after(REQUEST_TIMEOUT_MS, cut);
  const owner = new WebSocketPipe(socket, (text) => {
    const request = isAsked ? undefined : readRequest(text);
    if (!request) return owner.close('the first message asks for a slot, and there is no second');
    isAsked = true;
    cancelTimer();
    void give(request);
  });
  const tell = (news: SlotNews): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(news));
  };
  void owner.closed.then(() => {
    cancelTimer();
    gone.abort();
  });
  const give = async ({ demand }: SlotRequest): Promise<void> => {
    let slot: Slot;
    try {
      slot = await slots.slot(demand, {
        signal: gone.signal,
        onWaiting: (reason) => tell({ type: 'waiting', reason: reason.slice(0, 4000) }),
      });
    } catch {
      return owner.close('the coordinator gives no slots');
    }
    const { pipe, worker } = slot;
    maxMessageBytes = MAX_PROGRAM_FRAME_BYTES;
    tell({ type: 'placed', worker });
    void slot.leaving.then((reason) => tell({ type: 'leaving', reason: reason.slice(0, 500) }));
    void pipe.closed.then((reason) => owner.close(reason));
    void owner.closed.then(() => pipe.close('its owner is gone'));
    passFrames(owner, pipe);
    passFrames(pipe, owner);
  };
}

function readRequest(text: string): SlotRequest | undefined {
  try {
    return slotRequest.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
