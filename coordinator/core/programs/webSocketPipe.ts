// A pipe over a WebSocket of `ws`.

import type { RawData, WebSocket } from 'ws';
import { MAX_PROGRAM_FRAME_BYTES } from '../../../shared/protocol/program.ts';
import { closeCodes } from '../pool/controlConnection.ts';
import type { ProgramPipe } from './programPipe.ts';

export class WebSocketPipe implements ProgramPipe {
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;
  #receive: ((frame: Uint8Array) => void) | undefined;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;

  /** @param onText receives text messages; without it a text ends the pipe. */
  constructor(socket: WebSocket, onText?: (text: string) => void) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve(reason.toString('utf8') || ended(code)));
    });
    // A close event follows every error.
    socket.on('error', () => undefined);
    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (socket.readyState !== socket.OPEN) return;
      const bytes = data as Buffer;
      if (isBinary) this.#take(bytes);
      else if (onText) onText(bytes.toString('utf8'));
      else this.close('frames are binary');
    });
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Uint8Array, taken?: () => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(frame, { binary: true }, (error) => {
      if (!error) taken?.();
    });
  }

  read(isWanted: boolean): void {
    if (isWanted) this.#socket.resume();
    else this.#socket.pause();
  }

  onFrame(receive: (frame: Uint8Array) => void): void {
    this.#receive = receive;
    this.#earlyBytes = 0;
    for (const frame of this.#early.splice(0)) receive(frame);
  }

  close(reason: string): void {
    // RFC 6455 limits the reason to 123 bytes.
    this.#socket.close(closeCodes.normal, reason.slice(0, 40));
    // The other end's closing frame is not awaited: that process may be frozen.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  #take(frame: Uint8Array): void {
    if (this.#receive) return this.#receive(frame);
    this.#earlyBytes += frame.byteLength;
    const isTooMuch = this.#early.push(frame) > 16 || this.#earlyBytes > MAX_PROGRAM_FRAME_BYTES;
    if (isTooMuch) this.close('frames came before anybody asked');
  }
}

function ended(code: number): string {
  return code === 1006 ? 'its connection broke off' : `its connection was closed (code ${code})`;
}
