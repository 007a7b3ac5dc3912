// From a request that was read to a replica, and its answer back.

import { bodyForThread } from '../../http/readBody.ts';
import type { Body, ReplicaOp } from '../replica/replica.ts';
import type { ServeExchange } from './serveExchange.ts';
import type { ServedApp } from '../deployment/servedApp.ts';

/**
 * Asks a model: here where that is quickest, else a replica.
 * @param headerBytes of an inference request, where bytes of tensors follow its JSON.
 */
export function ask(
  exchange: ServeExchange,
  app: ServedApp,
  op: ReplicaOp,
  [body, headerBytes]: readonly [Body, (number | undefined)?],
  answered: (value: unknown) => void,
): void {
  const { small } = app.model!;
  if (!small || !small.takes(body.length) || app.router.isClosed) {
    const as = headerBytes === undefined ? 'text' : 'shared bytes';
    const sent = typeof body === 'string' ? body : bodyForThread(body, as);
    submit(exchange, app, op, [sent, headerBytes], answered);
    return;
  }
  try {
    answered(small.run(op, [body, headerBytes]));
  } catch (error) {
    exchange.fail(error);
  }
}

export function submit(
  exchange: ServeExchange,
  app: ServedApp,
  op: ReplicaOp,
  args: readonly unknown[],
  answered: (value: unknown) => void,
): void {
  const withdraw = app.router.submit(op, args, (error, value) => {
    exchange.body?.release();
    if (error !== undefined) {
      exchange.fail(error);
      return;
    }
    try {
      answered(value);
    } catch (unwritable) {
      // E.g. a header of an owner's answer that HTTP does not allow.
      exchange.fail(unwritable);
    }
  });
  exchange.onGone(withdraw);
}
