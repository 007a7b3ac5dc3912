// One HTTP request on its way: where it is addressed to, and how its answer is written, logged and counted, once.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { TabgradError } from '../../kernels/errors.ts';
import { visibleText } from '../../kernels/visibleText.ts';
import { outsideMessage } from '../../shared/outsideMessage.ts';
import type { Log } from '../log/log.ts';
import { endBeforeRest, isWhole } from './endBeforeRest.ts';
import { failureHeaders, statusOf, type AnswerHeaders } from './httpErrors.ts';
import { logFailure } from './logFailure.ts';
import { readTarget } from './readTarget.ts';

/** What a server makes of its requests. */
export interface ExchangeContext {
  readonly log: Log;
  /** Begins what the log has of failures, where more than one server writes to it. */
  readonly logPrefix: string;
  /** As answers name the server, e.g. "The coordinator". */
  readonly serverName: string;
  /** Under which the log has the request, and the answer refers to it. */
  requestId(request: IncomingMessage): string;
  /** Who asks. */
  addressOf(request: IncomingMessage): string;
}

/** A failure as whoever asked is told of it. */
export interface ToldFailure {
  readonly code: string;
  readonly message: string;
  /** Of rows that do not fit: which row and field. */
  readonly place: { readonly row?: number; readonly field?: string };
}

/** What nginx logs for clients that went away. */
const CLIENT_CLOSED = 499;

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly address: string;
  /** Name and port that it is addressed to. */
  readonly host: string;
  readonly path: string;
  /** With its "?"; empty where there is none. */
  readonly search: string;
  /** Whether the owner asks, who may know about folders and files. */
  isOwner = false;
  readonly #context: ExchangeContext;
  #isOver = false;
  #isClosed = false;
  #onGone: (() => void) | undefined;
  #gone: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, context: ExchangeContext) {
    this.request = request;
    this.response = response;
    this.id = context.requestId(request);
    // A request that is answered may have no socket any more.
    this.address = context.addressOf(request);
    const { host, target } = readTarget(request);
    this.host = host;
    const query = target.indexOf('?');
    this.path = query < 0 ? target : target.slice(0, query);
    this.search = query < 0 ? '' : target.slice(query);
    this.#context = context;
    // Without a listener, a client that breaks off would end the process.
    request.on('error', ignore);
    response.on('error', ignore);
    response.on('close', () => {
      this.#isClosed = true;
      this.end(response.writableFinished ? response.statusCode : CLIENT_CLOSED);
      this.#onGone?.();
      this.#gone?.abort();
    });
  }

  /** It was answered, or the client is gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Fires when the answer is written, or the client is gone. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isClosed) this.#gone.abort();
    return this.#gone.signal;
  }

  /** Calls back when the client is gone without an answer. */
  onGone(callback: () => void): void {
    this.#onGone = callback;
  }

  /** The answer is written without waiting for what was asked for, which is called off as if the client were gone. */
  abandon(error: unknown): void {
    const onGone = this.#onGone;
    this.fail(error);
    onGone?.();
  }

  /** Tells a client that asked first to send its body. */
  expectBody(): void {
    const { expect } = this.request.headers;
    if (expect !== undefined && this.request.httpVersion === '1.1') this.response.writeContinue();
  }

  /** Writes the whole answer, unless there is one already. Throws for a header that HTTP does not allow. */
  answer(status: number, headers: AnswerHeaders, body: string | Uint8Array): void {
    const { request, response } = this;
    if (response.destroyed || response.headersSent) return;
    const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    this.#writeHead(status, headers, ['content-length', String(sizeBytes)]);
    this.#onGone = undefined;
    this.end(status);
    const written = request.method === 'HEAD' ? undefined : body;
    if (isWhole(request)) response.end(written);
    else endBeforeRest(request, response, written);
  }

  /** Begins an answer whose body is written to `response` piece by piece. */
  begin(status: number, headers: AnswerHeaders): void {
    this.#writeHead(status, headers, []);
  }

  /** Answers with text that nothing between may keep. */
  text(status: number, contentType: string, text: string): void {
    this.answer(status, { 'content-type': contentType, 'cache-control': 'no-store' }, text);
  }

  json(status: number, value: unknown): void {
    // It is the same value; curl shows it on a terminal.
    const json = visibleText(JSON.stringify(value));
    this.text(status, 'application/json; charset=utf-8', `${json}\n`);
  }

  /**
   * Answers with an error, and logs it: `{"error": {code, message, row?, field?}}`. An unexpected one tells no details.
   */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.logFailure(error);
    const { response } = this;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const headers = failureHeaders(error);
    for (const name in headers) response.setHeader(name, headers[name]!);
    this.json(statusOf(error), this.failure(error));
  }

  logFailure(error: unknown): void {
    const { id, address, request, path } = this;
    const { log, logPrefix } = this.#context;
    // Without the query, in which secrets may be.
    logFailure({ log, what: `${logPrefix}${request.method} ${path.slice(0, 200)}`, address, id }, error);
  }

  /** The answer to a request that failed. */
  protected failure(error: unknown): object {
    const { code, message, place } = this.told(error);
    return { error: { code, message, ...place } };
  }

  /** What of a failure whoever asked may know. */
  protected told(error: unknown): ToldFailure {
    const { serverName } = this.#context;
    if (!(error instanceof TabgradError)) {
      const message = `${serverName} failed on this request; its log says how, under ${this.id}.`;
      return { code: 'INTERNAL', message, place: {} };
    }
    const { code } = error;
    const { message, isShortened } = outsideMessage(error);
    if (isShortened && !this.isOwner)
      return { code, message: `${message} ${serverName}'s log says more, under ${this.id}.`, place: {} };
    const { row, field } = error.place;
    const place = { ...(row !== undefined && { row }), ...(field !== undefined && { field }) };
    return { code, message: error.message, place };
  }

  /** Somebody else answers it: it is neither counted nor logged here. */
  handOver(): void {
    this.#isOver = true;
  }

  /** Counts the request as answered by `status`; the first time counts. */
  protected end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.ended(status);
  }

  /** Called once: when the answer is given over, or the client is gone (status 499). For those who count. */
  protected ended(_status: number): void {}

  #writeHead(status: number, headers: AnswerHeaders, more: readonly string[]): void {
    const flat = ['x-request-id', this.id, 'x-content-type-options', 'nosniff', ...more];
    for (const name in headers) flat.push(name, headers[name]!);
    this.response.writeHead(status, flat);
  }
}

function ignore(): void {}
