// Who asks, told by an acceptor to the serving process in a header. Only acceptors reach the socket on which it counts, and
// they let no caller's header of that name pass.

import type { IncomingMessage } from 'node:http';

export const CALLER_HEADER = 'tabgrad-caller';

/** @returns the caller's address, and takes the header away: it is none of the application's business. */
export function takeCaller({ headers }: IncomingMessage): string {
  const address = headers[CALLER_HEADER];
  delete headers[CALLER_HEADER];
  return typeof address === 'string' ? address : '';
}
