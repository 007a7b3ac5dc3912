// One HTTP request on its way: its id, its clock, and how its answer is written, counted and logged, once.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { TabgradError } from '../../../kernels/errors.ts';
import { outsideMessage } from '../../../shared/outsideMessage.ts';
import { MediaTypeError, retryAfterS, serveStatusOf } from '../request/serveErrors.ts';
import { readTarget } from '../../http/readTarget.ts';
import { endBeforeRest, isWhole } from '../../http/endBeforeRest.ts';
import type { HeldBytes } from '../../bounds/byteBudget.ts';
import type { AnswerStream } from '../stream/answerStream.ts';

/** A line of the access log. */
export interface AccessEntry {
  readonly time: string;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly application: string;
  readonly status: number;
  readonly durationMs: number;
  readonly remoteAddress: string | undefined;
}

export interface ExchangeEnd {
  readonly exchange: Exchange;
  readonly status: number;
}

/** What nginx logs for clients that went away. */
const CLIENT_CLOSED = 499;

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  /** Name and port that it is addressed to. */
  readonly host: string;
  readonly path: string;
  readonly search: string;
  readonly startedAtMs = performance.now();
  /** Name of the application; empty for the server's own pages. */
  application = '';
  /** The Open Inference Protocol has errors of its own shape. */
  isInference = false;
  /** What is held of its body. */
  body: HeldBytes | undefined;
  #ended: ((end: ExchangeEnd) => void) | undefined;
  #onGone: (() => void) | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    newId: () => string,
    ended: (end: ExchangeEnd) => void,
  ) {
    this.request = request;
    this.response = response;
    const given = request.headers['x-request-id'];
    this.id = typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : newId();
    const { host, target } = readTarget(request);
    this.host = host;
    const query = target.indexOf('?');
    this.path = query < 0 ? target : target.slice(0, query);
    this.search = query < 0 ? '' : target.slice(query);
    this.#ended = ended;
    response.on('close', () => {
      this.#end(CLIENT_CLOSED);
      this.#onGone?.();
    });
  }

  /** It was answered, or the client is gone. */
  get isOver(): boolean {
    return this.#ended === undefined;
  }

  /** Calls back when the client is gone without an answer. */
  onGone(callback: () => void): void {
    this.#onGone = callback;
  }

  /** The answer is written without waiting for what was asked for, which is called off as if the client were gone. */
  abandon(answer: () => void): void {
    const onGone = this.#onGone;
    answer();
    onGone?.();
  }

  answer(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): void {
    const { response } = this;
    if (response.destroyed || response.headersSent) return;
    const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.#writeHead(status, headers, ['content-length', String(sizeBytes)]);
    this.#onGone = undefined;
    this.#end(status);
    const written = this.request.method === 'HEAD' ? undefined : body;
    if (isWhole(this.request)) response.end(written);
    else endBeforeRest(this.request, response, written);
  }

  /**
   * Writes an answer in pieces, no faster than the caller reads. Where making them fails, a caller that reads events gets
   * one more, "error"; any other finds the answer broken off, which HTTP tells apart from its end.
   * @param stream has a head. @param failed is told why a piece did not come.
   */
  async stream(stream: AnswerStream, failed: (error: unknown) => void): Promise<void> {
    const { response } = this;
    const { status, headers } = stream.head!;
    if (response.destroyed || this.request.method === 'HEAD') {
      void stream.return();
      this.answer(status, headers, '');
      return;
    }
    this.#writeHead(status, headers, []);
    try {
      for await (const piece of stream) {
        if (!response.write(piece)) await drained(response);
      }
      this.#end(status);
      response.end();
    } catch (error) {
      // The caller is gone: that is why.
      if (this.isOver) return;
      failed(error);
      this.#end(serveStatusOf(error));
      if (headers['content-type']?.startsWith('text/event-stream') !== true) breakOff(response);
      else response.end(`event: error\ndata: ${JSON.stringify(this.#failure(error))}\n\n`);
    }
  }

  json(status: number, value: unknown): void {
    this.answer(status, { 'content-type': 'application/json; charset=utf-8' }, `${JSON.stringify(value)}\n`);
  }

  /** `{"error": {code, message, place?}, requestId}`. An unexpected error tells no details. */
  fail(error: unknown): void {
    const status = serveStatusOf(error);
    if (status === 401) this.response.setHeader('WWW-Authenticate', 'Bearer');
    const retryAfter = retryAfterS(error);
    if (retryAfter !== undefined) this.response.setHeader('Retry-After', retryAfter);
    if (error instanceof MediaTypeError && error.acceptEncoding !== undefined)
      this.response.setHeader('Accept-Encoding', error.acceptEncoding);
    this.json(status, this.#failure(error));
  }

  #failure(error: unknown): object {
    const { code, message, place } = told(error, serveStatusOf(error), this.id);
    if (this.isInference) return { error: message, code, requestId: this.id };
    return { error: { code, message, ...place }, requestId: this.id };
  }

  #writeHead(status: number, headers: Readonly<Record<string, string>>, more: readonly string[]): void {
    const flat = ['x-request-id', this.id, 'x-content-type-options', 'nosniff', ...more];
    for (const name in headers) flat.push(name, headers[name]!);
    // Throws for a header of an owner's answer that HTTP does not allow.
    this.response.writeHead(status, flat);
  }

  #end(status: number): void {
    const ended = this.#ended;
    this.#ended = undefined;
    this.body?.release();
    ended?.({ exchange: this, status });
  }
}

/** Closes the connection in the middle of the answer, when what was written of it so far is on its way. */
function breakOff(response: ServerResponse): void {
  setImmediate(() => response.socket?.destroySoon());
}

/** Resolves when the caller has read, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}

function told(error: unknown, status: number, id: string): { code: string; message: string; place: object } {
  if (!(error instanceof TabgradError)) {
    return { code: 'INTERNAL', message: `The server failed; its log tells how, under ${id}.`, place: {} };
  }
  // What an owner's class threw may hold what callers must not see.
  if (error.code === 'SERVE_CODE_FAILED' && status === 500) {
    return {
      code: error.code,
      message: `The application failed; the log tells how, under ${id}.`,
      place: {},
    };
  }
  const { message, isShortened } = outsideMessage(error);
  if (isShortened)
    return { code: error.code, message: `${message} The log tells more, under ${id}.`, place: {} };
  const { row, field } = error.place;
  const place = { ...(row !== undefined && { row }), ...(field !== undefined && { field }) };
  return { code: error.code, message, place };
}
