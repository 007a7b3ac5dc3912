// The body of a request, from its first byte to its answer.

import { addressShare } from '../../bounds/addressShares.ts';
import type { ContentCodings, Decoder } from '../../http/contentCodings.ts';
import { readBody, type BodyKind } from '../../http/readBody.ts';
import type { Body } from '../replica/replica.ts';
import type { HeldBodies } from './heldBodies.ts';
import type { ServeExchange } from './serveExchange.ts';

export interface ReceiveOptions {
  readonly maxBodyBytes: number;
  readonly bodies: HeldBodies;
  readonly codings: ContentCodings;
}

/** Reads the body, and counts what is held of it until the answer. @throws MediaTypeError */
export function receiveBody(
  exchange: ServeExchange,
  { maxBodyBytes, bodies, codings }: ReceiveOptions,
  as: BodyKind,
  received: (body: Body) => void,
): void {
  const unwanted = new AbortController();
  const decoder = decoderOf(exchange, codings, unwanted);
  const held = bodies.open(exchange.address, (error) => {
    giveUp(error);
    unwanted.abort();
  });
  exchange.body = held;
  const bounds = { maxBodyBytes, hold: (bytes: number): void => held.set(bytes) };
  let giveUp = readBody(exchange, bounds, { decoder, as }, (error, body) => {
    if (error) {
      exchange.fail(error);
      return;
    }
    giveUp = (late) => exchange.abandon(late);
    received(body);
  });
}

function decoderOf(
  { request, response, address }: ServeExchange,
  codings: ContentCodings,
  unwanted: AbortController,
): Decoder | undefined {
  const coding = request.headers['content-encoding'];
  if (coding === undefined) return undefined;
  response.once('close', () => unwanted.abort());
  return codings.decoder(coding, { party: addressShare(address), signal: unwanted.signal });
}
