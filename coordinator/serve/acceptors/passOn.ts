// Passes a request on to the serving process, and its answer back: what an acceptor does not answer itself.

import { request as ask, type Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { endBeforeRest, isWhole } from '../../http/endBeforeRest.ts';
import { CALLER_HEADER } from './callerHeader.ts';

/** Of one connection, not of the message (RFC 9110, section 7.6.1). */
const ofConnection = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);

export interface Upstream {
  readonly socketPath: string;
  readonly agent: Agent;
}

/** @param body that was read already; otherwise it is passed on as it comes. */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  upstream: Upstream,
  body?: Uint8Array,
): void {
  const headers = [
    ...passing(request.rawHeaders, CALLER_HEADER),
    CALLER_HEADER,
    request.socket.remoteAddress ?? '',
  ];
  const { method = 'GET', url = '/' } = request;
  const asked = ask({ ...upstream, method, path: url, headers, setHost: false });
  const expects = request.headers.expect !== undefined;
  const send = (): void => {
    if (body !== undefined) asked.end(body);
    else request.pipe(asked);
  };
  if (expects) {
    asked.on('continue', () => {
      response.writeContinue();
      send();
    });
    asked.flushHeaders();
  } else send();
  asked.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, passing(answer.rawHeaders, 'transfer-encoding'));
    if (isWhole(request)) answer.pipe(response);
    else endEarly(request, response, answer);
    // Broken off there, broken off here, after what came.
    answer.on('error', () => setImmediate(() => response.socket?.destroySoon()));
  });
  asked.on('error', () => {
    if (!response.headersSent) answerGone(response);
  });
  response.on('close', () => {
    if (!response.writableFinished) asked.destroy();
  });
  // Who breaks off closes the answer too, which is heard above.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
}

/** The answer to a request of which nobody wants the rest says what is wrong with it: it is short. */
function endEarly(request: IncomingMessage, response: ServerResponse, answer: IncomingMessage): void {
  request.unpipe();
  const pieces: Buffer[] = [];
  answer.on('data', (piece: Buffer) => pieces.push(piece));
  answer.on('end', () => endBeforeRest(request, response, Buffer.concat(pieces)));
}

/** The serving process ends, or has ended. */
function answerGone(response: ServerResponse): void {
  const error = { code: 'SERVE_UNAVAILABLE', message: 'The server is stopping.' };
  const text = `${JSON.stringify({ error })}\n`;
  response.writeHead(503, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'retry-after': '1',
    connection: 'close',
  });
  response.end(text);
}

/** Names and values in turn, without those of the connection and `but`. */
function passing(raw: readonly string[], but: string): string[] {
  return raw.filter((_, at) => {
    const name = raw[at & ~1]!.toLowerCase();
    return name !== but && !ofConnection.has(name);
  });
}
