// The thread of an owner's training loop: loads it, calls it, and asks the worker's main thread for whatever it wants of its
// group and its rows. An endless loop holds up nothing but itself.

import { delay, systemClock } from '../../shared/clock.ts';
import { deferred, type Deferred } from '../../shared/deferred.ts';
import { AbortedError } from '../../kernels/errors.ts';
import { openRoundsLoop } from '../gbdt/roundsLoop.ts';
import { openTensorsLoop } from '../neural/loop/tensorsLoop.ts';
import { findAdapter } from '../thread/findAdapter.ts';
import { ownerError } from '../thread/ownerError.ts';
import type { ThreadPlatform } from '../thread/threadPlatform.ts';
import type { ThreadPort } from '../thread/threadPort.ts';
import type { AskMain, LoadOwnerFunction, OpenLoop } from '../ownerLoop/askMain.ts';
import { loadLoop } from '../ownerLoop/loadLoop.ts';
import type { FromLoopThread, LoopStart, PlainError, ToLoopThread } from '../ownerLoop/loopMessages.ts';

/** For a loop whose thread is to end: what it asks for fails from then on. */
const END_GRACE_MS = 2_000;

/** @returns what takes the messages of the main thread, in their order. */
export function serveLoop(port: ThreadPort, platform: ThreadPlatform): (message: unknown) => void {
  const served = new ServedLoop(port, platform);
  return (received) => {
    const message = received as ToLoopThread;
    switch (message.type) {
      case 'startLoop':
        return served.start(message);
      case 'call':
        return served.call(message.config, message.place);
      case 'answer':
        return served.answered(message.id, message.value);
      case 'refused':
        return served.refused(message.id, refusal(message.error));
      case 'end':
        return void served.end();
    }
  };
}

class ServedLoop {
  readonly #port: ThreadPort;
  readonly #platform: ThreadPlatform;
  readonly #asked = new Map<number, Deferred<unknown>>();
  #lastAsk = 0;
  #moduleUrl: string | undefined;
  #loop: Promise<OpenLoop> | undefined;
  #called: Promise<void> = Promise.resolve();
  #isEnding = false;

  constructor(port: ThreadPort, platform: ThreadPlatform) {
    this.#port = port;
    this.#platform = platform;
  }

  start(start: LoopStart): void {
    this.#loop = this.#open(start);
    this.#loop.then(
      () => this.#say({ type: 'opened' }),
      (error: unknown) => this.#say({ type: 'threw', error: ownerError(error, this.#moduleUrl) }),
    );
  }

  call(config: unknown, place: unknown): void {
    this.#called = this.#call(config, place);
  }

  answered(id: number, value: unknown): void {
    this.#asked.get(id)?.resolve(value);
    this.#asked.delete(id);
  }

  refused(id: number, error: Error): void {
    this.#asked.get(id)?.reject(error);
    this.#asked.delete(id);
  }

  /** Ends the thread when nothing waits for the GPU any more: Node's process would not survive that. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const id of this.#asked.keys()) this.refused(id, over());
    await Promise.race([this.#called, delay(systemClock, END_GRACE_MS)]);
    const loop = await this.#loop?.catch(() => undefined);
    await loop?.close();
    this.#port.end();
  }

  async #open({ kind, code }: LoopStart): Promise<OpenLoop> {
    const { openGpu, importText } = this.#platform;
    const load: LoadOwnerFunction = () =>
      loadLoop(code, (source) => {
        const imported = importText(source);
        this.#moduleUrl = imported.url;
        return imported;
      });
    const ask: AskMain = (what, transfer) => this.#ask(what, transfer);
    if (kind.name === 'rounds') return openRoundsLoop(load, ask);
    const found = kind.device === 'webgpu' ? await findAdapter(openGpu) : undefined;
    return openTensorsLoop(load, ask, {
      // The worker computes on it; where it is gone meanwhile the processor does, with the same result but for rounding.
      adapter: found && 'adapter' in found ? found.adapter : undefined,
      onLost: (reason) => this.#say({ type: 'lost', reason: reason.slice(0, 4000) }),
    });
  }

  /** Settles when the loop is over. Never rejects. */
  async #call(config: unknown, place: unknown): Promise<void> {
    try {
      const loop = await this.#loop;
      await loop?.call(config, place);
      this.#say({ type: 'returned' });
    } catch (error) {
      this.#say({ type: 'threw', error: ownerError(error, this.#moduleUrl) });
    }
  }

  #ask(what: object, transfer?: readonly ArrayBuffer[]): Promise<unknown> {
    if (this.#isEnding) return Promise.reject(over());
    this.#lastAsk += 1;
    const id = this.#lastAsk;
    const answer = deferred<unknown>();
    this.#asked.set(id, answer);
    this.#say({ type: 'ask', id, what }, transfer);
    return answer.promise;
  }

  #say(message: FromLoopThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.post(message, transfer);
  }
}

function over(): Error {
  return new AbortedError('the generation of this loop is over');
}

/** What the main thread refused something for, as the loop sees it. */
function refusal({ name, message, code }: PlainError): Error {
  return Object.assign(new Error(message), { name, ...(code !== undefined && { code }) });
}
