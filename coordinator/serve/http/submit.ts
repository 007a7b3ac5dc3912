// From a request that was read to a replica, and its answer back.

import type { Body, ReplicaOp } from '../replica/replica.ts';
import type { Exchange } from './exchange.ts';
import type { Fail } from './receiveBody.ts';
import type { ServedApp } from '../deployment/servedApp.ts';

/** Asks a model: here where that is quickest, else a replica. */
export function ask(
  exchange: Exchange,
  app: ServedApp,
  op: ReplicaOp,
  args: readonly [Body, (number | undefined)?],
  fail: Fail,
  answered: (value: unknown) => void,
): void {
  const { small } = app.model!;
  if (!small || args[0].length > small.maxBytes || app.router.isClosed) {
    submit(exchange, app, op, args, fail, answered);
    return;
  }
  try {
    answered(small.run(op, args));
  } catch (error) {
    fail(error);
  }
}

export function submit(
  exchange: Exchange,
  app: ServedApp,
  op: ReplicaOp,
  args: readonly unknown[],
  fail: Fail,
  answered: (value: unknown) => void,
): void {
  const withdraw = app.router.submit(op, args, (error, value) => {
    exchange.body?.release();
    if (error !== undefined) {
      fail(error);
      return;
    }
    try {
      answered(value);
    } catch (unwritable) {
      // E.g. a header of an owner's answer that HTTP does not allow.
      fail(unwritable);
    }
  });
  exchange.onGone(withdraw);
}
