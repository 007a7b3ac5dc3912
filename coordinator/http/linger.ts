// A client that is refused in the middle of its request: closing at once would reset the connection, and the answer that says
// why would be lost with what the client still sends (RFC 9112, 9.6).

import type { IncomingMessage } from 'node:http';

/** How long it may go on sending, so that it gets to read the answer. */
const LINGER_MS = 5_000;

/** Throws away what the client still sends of its request, and drops the connection if that does not end soon. */
export function linger(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('close', stop);
  };
  request.once('end', stop);
  socket.once('close', stop);
  request.resume();
}
