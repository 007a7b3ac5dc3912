// The body of a request, from its first byte to its answer.

import { addressShare } from '../../core/pool/addressShares.ts';
import type { Body } from '../replica/replica.ts';
import type { Exchange } from './exchange.ts';
import type { HeldBodies } from './heldBodies.ts';
import type { ContentCodings } from './contentCodings.ts';
import { readBody } from './readBody.ts';

export type Fail = (error: unknown) => void;

export interface ReceiveOptions {
  readonly maxBodyBytes: number;
  readonly bodies: HeldBodies;
  readonly codings: ContentCodings;
}

/**
 * Reads the body, and counts what is held of it until the answer.
 * @param asBytes gives bytes even where it is small. @throws MediaTypeError
 */
export function receiveBody(
  exchange: Exchange,
  { maxBodyBytes, bodies, codings }: ReceiveOptions,
  asBytes: boolean,
  fail: Fail,
  received: (body: Body) => void,
): void {
  const { request, response } = exchange;
  const unwanted = new AbortController();
  const sender = { party: addressShare(request.socket.remoteAddress ?? ''), signal: unwanted.signal };
  const decoder = codings.decoder(request.headers['content-encoding'], sender);
  if (decoder) response.once('close', () => unwanted.abort());
  const held = bodies.open(request, (error) => {
    giveUp(error);
    unwanted.abort();
  });
  exchange.body = held;
  const bounds = { maxBodyBytes, hold: (bytes: number): void => held.set(bytes) };
  let giveUp = readBody(request, bounds, { decoder, asBytes }, (error, body) => {
    if (error) {
      fail(error);
      return;
    }
    giveUp = (late) => exchange.abandon(() => fail(late));
    received(body);
  });
}
