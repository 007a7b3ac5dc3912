// One HTTP request on its way: its id, its clock, and how its answer is written, counted and logged, once.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { TabgradError } from '../../../shared/errors.ts';
import { serveStatusOf } from '../serveErrors.ts';

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

/** Advice of every Retry-After. */
const RETRY_AFTER_S = 1;
/** What nginx logs for clients that went away. */
const CLIENT_CLOSED = 499;

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly path: string;
  readonly search: string;
  readonly startedAtMs = performance.now();
  /** Name of the application; empty for the server's own pages. */
  application = '';
  /** The Open Inference Protocol has errors of its own shape. */
  isInference = false;
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
    const target = request.url ?? '/';
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

  answer(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): void {
    const { response } = this;
    if (response.destroyed || response.headersSent) return;
    const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    const flat = [
      'x-request-id',
      this.id,
      'x-content-type-options',
      'nosniff',
      'content-length',
      String(sizeBytes),
    ];
    for (const name in headers) flat.push(name, headers[name]!);
    // Throws for a header of an owner's answer that HTTP does not allow.
    response.writeHead(status, flat);
    this.#onGone = undefined;
    this.#end(status);
    response.end(this.request.method === 'HEAD' ? undefined : body);
  }

  json(status: number, value: unknown): void {
    this.answer(status, { 'content-type': 'application/json; charset=utf-8' }, `${JSON.stringify(value)}\n`);
  }

  /** `{"error": {code, message, place?}, requestId}`. An unexpected error tells no details. */
  fail(error: unknown): void {
    const status = serveStatusOf(error);
    const { code, message, place } = told(error, status, this.id);
    if (status === 401) this.response.setHeader('WWW-Authenticate', 'Bearer');
    if (status === 503) this.response.setHeader('Retry-After', RETRY_AFTER_S);
    if (this.isInference) this.json(status, { error: message, code, requestId: this.id });
    else this.json(status, { error: { code, message, ...place }, requestId: this.id });
  }

  #end(status: number): void {
    const ended = this.#ended;
    this.#ended = undefined;
    ended?.({ exchange: this, status });
  }
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
  const { row, field } = error.place;
  const place = { ...(row !== undefined && { row }), ...(field !== undefined && { field }) };
  return { code: error.code, message: error.message, place };
}
