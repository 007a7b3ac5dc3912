import type { WebSocket } from 'ws';

/** For the closing handshake; who does not answer it would keep the socket, and what it sends, for half a minute. */
const FAREWELL_MS = 1_000;

/** Closes a socket, and drops it soon whether the other end agrees or not. */
export function dismissSocket(socket: WebSocket, code?: number, reason?: string): void {
  // RFC 6455 limits the reason to 123 bytes.
  socket.close(code, reason?.slice(0, 120));
  const timer = setTimeout(() => socket.terminate(), FAREWELL_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
