// The path that a coordinator has at its public address, taken off requests: some proxies pass it on and some don't.

import type { IncomingMessage } from 'node:http';

/** @returns "" for none, else e.g. "/swarm". */
export function publicPathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}

/** From here on the request is one to this server's own paths. */
export function stripPublicPath(request: IncomingMessage, publicPath: string): void {
  const { url = '' } = request;
  if (publicPath === '' || !url.startsWith(publicPath)) return;
  const rest = url.slice(publicPath.length);
  if (rest === '' || rest.startsWith('?')) request.url = `/${rest}`;
  else if (rest.startsWith('/')) request.url = rest;
}
