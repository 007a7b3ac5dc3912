// The answer to a request that has not arrived in whole, such as one whose body is too large. The rest is read and thrown
// away for a while: a connection that is closed before would be reset under a client that still sends and has not read the
// answer (RFC 9112, section 9.6).

import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client may go on sending what it announced. */
const LINGER_MS = 5_000;
/** How long it may send on beyond that. */
const MORE_MS = 500;

/** Nothing of it is still to come. */
export function isWhole({ complete, headers }: IncomingMessage): boolean {
  return complete || (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined);
}

/** Writes the whole answer now; a connection that ends with it is closed when the client has sent all, or too much. */
export function endBeforeRest(
  request: IncomingMessage,
  response: ServerResponse,
  body: string | Uint8Array | undefined,
): void {
  const { socket } = request;
  let timer = setTimeout(() => socket.destroy(), LINGER_MS);
  const stop = (): void => clearTimeout(timer);
  socket.once('close', stop);
  request.once('end', stop);
  if (response.shouldKeepAlive) {
    // The next request may end in the same way.
    request.once('end', () => socket.off('close', stop));
    response.end(body);
  } else {
    if (body === undefined || body.length === 0) response.flushHeaders();
    else response.write(body);
    request.once('end', () => {
      timer = setTimeout(() => response.end(), MORE_MS);
      socket.once('end', () => response.end());
    });
  }
  request.resume();
}
