// How the server writes its answers: JSON, text and coded errors, each with headers that keep browsers strict.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { TabgradError } from '../../../kernels/errors.ts';
import { outsideMessage } from '../../../shared/outsideMessage.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { endBeforeRest, isWhole } from '../../http/endBeforeRest.ts';
import { utf8Text } from '../../http/utf8Text.ts';
import { TooManyAttemptsError } from '../pool/attemptThrottle.ts';
import { BadRequestError, BodyTooLargeError, statusOf } from '../../http/httpErrors.ts';

/** On every answer. Pages add their own policy. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
};

const BODY_TIMEOUT_MS = 30_000;
const BYTE_ORDER_MARK = '\ufeff';

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  // It is the same value; curl shows it on a terminal.
  const json = visibleText(JSON.stringify(value));
  answerText(response, status, 'application/json; charset=utf-8', `${json}\n`);
}

export function answerText(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': bytes.byteLength,
    'Cache-Control': 'no-store',
  });
  const { req: request } = response;
  const body = request.method === 'HEAD' ? undefined : bytes;
  if (isWhole(request)) response.end(body);
  else endBeforeRest(request, response, body);
}

/**
 * The answer to a request that failed: `{"error": {"code", "message"}}`. An unexpected error tells no details.
 * @param id under which the log has it.
 * @param toOwner whether the owner asked, who may know about folders and files.
 */
export function answerError(response: ServerResponse, error: unknown, id: string, toOwner: boolean): void {
  const known = error instanceof TabgradError;
  const status = known ? statusOf(error.code) : 500;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (error instanceof TooManyAttemptsError) response.setHeader('Retry-After', error.retryAfterS);
  answerJson(response, status, {
    error: known
      ? { code: error.code, message: toOwner ? error.message : messageToOthers(error, id) }
      : {
          code: 'INTERNAL',
          message: `The coordinator failed on this request; its log says how, under ${id}.`,
        },
  });
}

function messageToOthers(error: TabgradError, id: string): string {
  const { message, isShortened } = outsideMessage(error);
  return isShortened ? `${message} The coordinator's log says more, under ${id}.` : message;
}

/** The body piece by piece. Whoever stops in the middle leaves the connection open, for the answer that says why. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/**
 * The JSON value of a request's body.
 * @throws BodyTooLargeError, BadRequestError
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const { 'content-length': length, 'content-encoding': coding = 'identity' } = request.headers;
  const announced = Number(length ?? 0);
  if (announced > maxBytes)
    throw new BodyTooLargeError(`The body may have ${maxBytes} bytes, not ${announced}`);
  if (coding.trim().toLowerCase() !== 'identity')
    throw new BadRequestError(
      `The body has the content coding "${coding.slice(0, 100)}"; the coordinator reads JSON as it is, in UTF-8.`,
    );
  const timer = setTimeout(() => request.destroy(), BODY_TIMEOUT_MS);
  try {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of bodyOf(request)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw new BodyTooLargeError(`The body may have ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return parseJson(utf8Text(Buffer.concat(chunks), 'The body'));
  } finally {
    clearTimeout(timer);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    throw new BadRequestError('The body must be JSON');
  }
}
