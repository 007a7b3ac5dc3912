// A request to served applications: the shape of its errors, answers in pieces, and what is counted and logged of it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Exchange, type ExchangeContext, type ToldFailure } from '../../http/exchange.ts';
import { statusOf } from '../../http/httpErrors.ts';
import type { HeldBytes } from '../../bounds/byteBudget.ts';
import { OwnerCodeError } from '../request/serveErrors.ts';
import type { AnswerStream } from '../stream/answerStream.ts';
import type { ServeMetrics } from './serveMetrics.ts';

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

export interface ServeContext extends ExchangeContext {
  readonly metrics: ServeMetrics;
  readonly accessLog: ((entry: AccessEntry) => void) | undefined;
}

export class ServeExchange extends Exchange {
  /** Name of the application; empty for the server's own pages. */
  application = '';
  /** The Open Inference Protocol has errors of its own shape. */
  isInference = false;
  /** What is held of its body. */
  body: HeldBytes | undefined;
  readonly #startedAtMs = performance.now();
  readonly #counting: ServeContext;

  constructor(request: IncomingMessage, response: ServerResponse, context: ServeContext) {
    super(request, response, context);
    this.#counting = context;
  }

  /**
   * Writes an answer in pieces, no faster than the caller reads. Where making them fails, a caller that reads events gets
   * one more, "error"; any other finds the answer broken off, which HTTP tells apart from its end.
   * @param stream has a head.
   */
  async stream(stream: AnswerStream): Promise<void> {
    const { response } = this;
    const { status, headers } = stream.head!;
    try {
      if (response.destroyed || this.request.method === 'HEAD') {
        void stream.return();
        this.answer(status, headers, '');
        return;
      }
      this.begin(status, headers);
    } catch (error) {
      // A header that HTTP does not allow.
      void stream.return();
      this.fail(error);
      return;
    }
    try {
      for await (const piece of stream) {
        if (!response.write(piece)) await drained(response);
      }
      this.end(status);
      response.end();
    } catch (error) {
      // The caller is gone: that is why.
      if (this.isOver) return;
      this.logFailure(error);
      this.end(statusOf(error));
      if (headers['content-type']?.startsWith('text/event-stream') !== true) breakOff(response);
      else response.end(`event: error\ndata: ${JSON.stringify(this.failure(error))}\n\n`);
    }
  }

  /** The log has what the owner's code threw. */
  override logFailure(error: unknown): void {
    super.logFailure(isOwnersDefect(error) ? (error.cause ?? error) : error);
  }

  protected override failure(error: unknown): object {
    const requestId = this.id;
    if (!this.isInference) return { ...super.failure(error), requestId };
    const { code, message } = this.told(error);
    return { error: message, code, requestId };
  }

  protected override told(error: unknown): ToldFailure {
    // What an owner's class threw may hold what callers must not see.
    if (!isOwnersDefect(error)) return super.told(error);
    const message = `The application failed; the log tells how, under ${this.id}.`;
    return { code: error.code, message, place: {} };
  }

  protected override ended(status: number): void {
    this.body?.release();
    const { metrics, accessLog } = this.#counting;
    const durationMs = performance.now() - this.#startedAtMs;
    if (this.application !== '') metrics.count(this.application, status, durationMs / 1_000);
    accessLog?.({
      time: new Date().toISOString(),
      requestId: this.id,
      method: this.request.method ?? '',
      path: this.path.slice(0, 500),
      application: this.application,
      status,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      remoteAddress: this.address,
    });
  }
}

/** Whether an owner's class threw what is no answer. */
function isOwnersDefect(error: unknown): error is OwnerCodeError {
  return error instanceof OwnerCodeError && error.status === undefined;
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
