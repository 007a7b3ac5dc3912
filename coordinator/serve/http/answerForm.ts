// What answers of the serving process and of its acceptors have in common.

import type { IncomingMessage } from 'node:http';

export const jsonHeaders = { 'content-type': 'application/json; charset=utf-8' } as const;

/** Ids of requests: the caller's, where it gives one that can stand in a log. */
export function requestIds(): (request: IncomingMessage) => string {
  const prefix = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  let serial = 0;
  return ({ headers: { 'x-request-id': given } }) =>
    typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)
      ? given
      : `${prefix}-${(++serial).toString(36)}`;
}
