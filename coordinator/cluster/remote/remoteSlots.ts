// Slots on the workers of a coordinator in another process.

import { WebSocket } from 'ws';
import { deferred } from '../../../shared/deferred.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { MAX_PROGRAM_FRAME_BYTES } from '../../../shared/protocol/program.ts';
import type { CoordinatorAddress } from './askCoordinator.ts';
import { Outage, OUTAGE_MS } from './outage.ts';
import { CoordinatorUnreachableError } from './remoteErrors.ts';
import type { Slot, SlotDemand, SlotOptions, SlotSource } from '../../core/programs/programPipe.ts';
import { slotNews, SLOT_PATH, type SlotNews, type SlotRequest } from '../../core/programs/slotMessages.ts';
import { WebSocketPipe } from '../../core/programs/webSocketPipe.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Broken off, going away, restarting, try later (RFC 6455, section 7.4, and its registry). */
const passingCloses: readonly number[] = [1001, 1006, 1012, 1013];

export class RemoteSlots implements SlotSource {
  readonly #address: Omit<CoordinatorAddress, 'signal'>;

  constructor(address: Omit<CoordinatorAddress, 'signal'>) {
    this.#address = address;
  }

  /**
   * Asks again while the coordinator is out of reach, for two minutes. @throws CoordinatorUnreachableError, AbortedError
   */
  async slot(demand: SlotDemand, options: SlotOptions = {}): Promise<Slot> {
    const signal = options.signal ?? new AbortController().signal;
    const outage = new Outage(this.#address.url, { outageMs: OUTAGE_MS }, signal);
    for (;;) {
      try {
        return await this.#ask(demand, options);
      } catch (error) {
        await outage.wait(error, `${demand.name} has no worker`);
      }
    }
  }

  #ask(demand: SlotDemand, { signal, onWaiting }: SlotOptions): Promise<Slot> {
    const { url, token, ca } = this.#address;
    // A coordinator behind a proxy may have a path of its own.
    const address = new URL(`.${SLOT_PATH}`, url.endsWith('/') ? url : `${url}/`);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address, {
      maxPayload: MAX_PROGRAM_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      ...(ca !== undefined && { ca }),
    });
    const placed = deferred<Slot>();
    const leaving = deferred<string>();
    const pipe = new WebSocketPipe(socket, (text) => {
      const news = readNews(text);
      if (news?.type === 'waiting') onWaiting?.(news.reason);
      else if (news?.type === 'leaving') leaving.resolve(news.reason);
      else if (news) placed.resolve({ worker: news.worker, pipe, leaving: leaving.promise });
      else pipe.close('it is no coordinator of this version');
    });
    socket.once('open', () => socket.send(JSON.stringify({ type: 'slot', demand } satisfies SlotRequest)));
    let failure = '';
    let closeCode = 0;
    socket.once('error', (error) => (failure = error.message));
    socket.once('close', (code) => (closeCode = code));
    const withdraw = (): void => {
      placed.reject(new AbortedError(`${demand.name} was called off before it had a worker.`));
      pipe.close('nobody waits for it any more');
    };
    if (signal?.aborted) withdraw();
    signal?.addEventListener('abort', withdraw, { once: true });
    void pipe.closed.then((reason) =>
      placed.reject(
        new CoordinatorUnreachableError(
          `The coordinator at ${url} gives no workers: ${failure || reason}.`,
          passingCloses.includes(closeCode) && !/response: [34]\d\d/.test(failure),
        ),
      ),
    );
    return placed.promise.finally(() => signal?.removeEventListener('abort', withdraw));
  }
}

function readNews(text: string): SlotNews | undefined {
  try {
    return slotNews.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
