// The compute worker's side of a tab's transport: an endpoint whose PeerJS lives on the page (servePeerEndpoint).

import { DeadlineError } from '../../kernels/errors.ts';
import { systemClock, type Clock } from '../../shared/clock.ts';
import type { ChannelMetadata } from './channelMetadata.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';
import type { HandedChannel, PageToWorker, WorkerToPage } from './endpointMessages.ts';
import { LateChannel } from './lateChannel.ts';
import type {
  ChannelTerms,
  ExpectedDialler,
  IncomingChannel,
  PeerEndpoint,
  PeerJsOptions,
  RawChannel,
} from './peerEndpoint.ts';
import { PortChannel } from './portChannel.ts';
import { RtcChannel } from './rtcChannel.ts';
import { SignallingError, SignallingRefusedError } from './transportErrors.ts';

/** Beyond the page's own deadline for the signalling server. */
const PAGE_GRACE_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 10_000;

/** What the page tells about a connection, as promises. */
interface Connection {
  readonly terms: Deferred<ChannelTerms>;
  readonly ended: Deferred<string>;
  readonly late?: LateChannel;
}

/**
 * Opens an endpoint through the page that serves the other end of `port`.
 * @throws SignallingRefusedError when the PeerJS server refuses; SignallingError when it does not answer;
 *   DeadlineError when the page doesn't.
 */
export async function remotePeerEndpoint(
  port: MessagePort,
  options: PeerJsOptions,
  clock: Clock = systemClock,
): Promise<PeerEndpoint> {
  const { signal, ...rest } = options;
  const endpoint = new RemotePeerEndpoint(port, options.peerId);
  const timeoutMs = (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) + PAGE_GRACE_MS;
  const cancel = clock.after(timeoutMs, () =>
    endpoint.refuse(new DeadlineError(`The page did not open signalling within ${timeoutMs} ms.`)),
  );
  const abort = (): void => endpoint.refuse(new SignallingError('Opening signalling was withdrawn.'));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    await endpoint.open(rest);
    return endpoint;
  } catch (error) {
    await endpoint.close();
    throw error;
  } finally {
    cancel();
    signal?.removeEventListener('abort', abort);
  }
}

class RemotePeerEndpoint implements PeerEndpoint {
  readonly id: string;
  readonly closed: Promise<string>;
  readonly #port: MessagePort;
  readonly #opened = deferred<void>();
  readonly #closed = deferred<string>();
  readonly #connections = new Map<number, Connection>();
  #lastDialled = 0;
  #lastExpectation = 0;
  #accept: ((incoming: IncomingChannel) => void) | undefined;

  constructor(port: MessagePort, id: string) {
    this.#port = port;
    this.id = id;
    this.closed = this.#closed.promise;
    this.#opened.promise.catch(() => undefined);
    port.onmessage = (event: MessageEvent<PageToWorker>) => this.#handle(event.data);
  }

  open(options: Omit<PeerJsOptions, 'signal'>): Promise<void> {
    this.#post({ type: 'open', options });
    return this.#opened.promise;
  }

  refuse(error: Error): void {
    this.#opened.reject(error);
  }

  dial(peerId: string, metadata: ChannelMetadata): RawChannel {
    this.#lastDialled += 1;
    const connection = this.#lastDialled;
    const late = new LateChannel(() => this.#post({ type: 'drop', connection }));
    this.#track(connection, late);
    this.#post({ type: 'dial', connection, peerId, metadata });
    return late;
  }

  expect(dialler: ExpectedDialler): () => void {
    this.#lastExpectation += 1;
    const expectation = this.#lastExpectation;
    this.#post({ type: 'expect', expectation, dialler });
    return () => this.#post({ type: 'expectNoMore', expectation });
  }

  useIceServers(iceServers: readonly RTCIceServer[]): void {
    this.#post({ type: 'iceServers', iceServers });
  }

  onIncoming(accept: (incoming: IncomingChannel) => void): void {
    this.#accept = accept;
  }

  close(): Promise<void> {
    this.#post({ type: 'close' });
    this.#end('it was closed');
    return Promise.resolve();
  }

  #handle(message: PageToWorker): void {
    switch (message.type) {
      case 'opened':
        return this.#opened.resolve();
      case 'refused':
        return this.refuse(new (message.final ? SignallingRefusedError : SignallingError)(message.message));
      case 'dialled':
        return this.#connections
          .get(message.connection)
          ?.late?.arrive(this.#take(message.connection, message.handed));
      case 'incoming': {
        this.#track(message.connection);
        const channel = this.#take(message.connection, message.handed);
        if (this.#accept) this.#accept({ peerId: message.peerId, metadata: message.metadata, channel });
        else channel.close('nobody accepts channels yet');
        return;
      }
      case 'negotiated':
        return this.#connections.get(message.connection)?.terms.resolve(message.terms);
      case 'ended': {
        const connection = this.#connections.get(message.connection);
        this.#connections.delete(message.connection);
        connection?.ended.resolve(message.reason);
        return connection?.late?.fail(message.reason);
      }
      case 'closed':
        return this.#end(message.reason);
    }
  }

  #track(connection: number, late?: LateChannel): void {
    const known = { terms: deferred<ChannelTerms>(), ended: deferred<string>() };
    this.#connections.set(connection, late ? { ...known, late } : known);
  }

  #take(connection: number, handed: HandedChannel): RawChannel {
    if ('port' in handed) return new PortChannel(handed.port);
    const known = this.#connections.get(connection);
    return new RtcChannel(handed.channel, {
      terms: known?.terms.promise ?? new Promise(() => undefined),
      ended: known?.ended.promise ?? Promise.resolve('the connection is over'),
      close: () => this.#post({ type: 'drop', connection }),
    });
  }

  #end(reason: string): void {
    for (const connection of this.#connections.values()) {
      connection.ended.resolve(reason);
      connection.late?.fail(reason);
    }
    this.#connections.clear();
    this.#closed.resolve(reason);
  }

  #post(message: WorkerToPage): void {
    this.#port.postMessage(message);
  }
}
