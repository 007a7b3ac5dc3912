// Seats on the workers of a coordinator in another process.

import { WebSocket } from 'ws';
import { deferred } from '../../shared/deferred.ts';
import { AbortedError } from '../../shared/errors.ts';
import { MAX_PROGRAM_FRAME_BYTES } from '../../shared/protocol/program.ts';
import type { CoordinatorAddress } from '../remote/askCoordinator.ts';
import { CoordinatorUnreachableError } from '../remote/remoteErrors.ts';
import type { Seat, SeatDemand, SeatOptions, SeatSource } from './programPipe.ts';
import { seatNews, SEAT_PATH, type SeatNews, type SeatRequest } from './seatMessages.ts';
import { WebSocketPipe } from './webSocketPipe.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

export class RemoteSeats implements SeatSource {
  readonly #address: Omit<CoordinatorAddress, 'signal'>;

  constructor(address: Omit<CoordinatorAddress, 'signal'>) {
    this.#address = address;
  }

  /** @throws CoordinatorUnreachableError, AbortedError */
  seat(demand: SeatDemand, { signal, onWaiting }: SeatOptions = {}): Promise<Seat> {
    const { url, token, ca } = this.#address;
    // A coordinator behind a proxy may have a path of its own.
    const address = new URL(`.${SEAT_PATH}`, url.endsWith('/') ? url : `${url}/`);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address, {
      maxPayload: MAX_PROGRAM_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      ...(ca !== undefined && { ca }),
    });
    const seated = deferred<Seat>();
    const leaving = deferred<string>();
    const pipe = new WebSocketPipe(socket, (text) => {
      const news = readNews(text);
      if (news?.type === 'waiting') onWaiting?.(news.reason);
      else if (news?.type === 'leaving') leaving.resolve(news.reason);
      else if (news) seated.resolve({ worker: news.worker, pipe, leaving: leaving.promise });
      else pipe.close('it is no coordinator of this version');
    });
    socket.once('open', () => socket.send(JSON.stringify({ type: 'seat', demand } satisfies SeatRequest)));
    let failure = '';
    socket.once('error', (error) => (failure = error.message));
    const withdraw = (): void => {
      seated.reject(new AbortedError(`${demand.name} was called off before it had a worker.`));
      pipe.close('nobody waits for it any more');
    };
    if (signal?.aborted) withdraw();
    signal?.addEventListener('abort', withdraw, { once: true });
    void pipe.closed.then((reason) =>
      seated.reject(
        new CoordinatorUnreachableError(`The coordinator at ${url} gives no workers: ${failure || reason}.`),
      ),
    );
    return seated.promise.finally(() => signal?.removeEventListener('abort', withdraw));
  }
}

function readNews(text: string): SeatNews | undefined {
  try {
    return seatNews.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
