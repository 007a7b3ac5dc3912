// A replica that does what the test says, when it says so.

import type { Done, Replica, ReplicaOp } from '../../../coordinator/serve/replica/replica.ts';
import { ReplicaLostError } from '../../../coordinator/serve/request/serveErrors.ts';

export class FakeReplica implements Replica {
  readonly id: string;
  readonly ready: Promise<void>;
  readonly ended: Promise<string>;
  /** Calls in hand, in order of arrival. */
  readonly calls = new Map<
    number,
    { readonly op: ReplicaOp; readonly args: readonly unknown[]; readonly done: Done }
  >();
  readonly cancelled: number[] = [];
  become!: () => void;
  failToStart!: (error: Error) => void;
  endedHow: string | undefined;
  #end!: (how: string) => void;
  #last = 0;

  constructor(id: string) {
    this.id = id;
    this.ready = new Promise((resolve, reject) => {
      this.become = resolve;
      this.failToStart = reject;
    });
    this.ready.catch(() => undefined);
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  call(op: ReplicaOp, args: readonly unknown[], done: Done): number {
    this.calls.set(++this.#last, { op, args, done });
    return this.#last;
  }

  cancel(call: number): void {
    this.cancelled.push(call);
  }

  /** Answers the oldest call in hand of that kind. */
  answer(value: unknown, error?: Error, op: ReplicaOp = 'method'): void {
    const [call, found] = [...this.calls].find(([, { op: asked }]) => asked === op)!;
    this.calls.delete(call);
    found.done(error, value);
  }

  kill(reason: string): Promise<void> {
    if (this.endedHow === undefined) {
      this.endedHow = reason;
      const inHand = [...this.calls.values()];
      this.calls.clear();
      for (const { done } of inHand) done(new ReplicaLostError(`${this.id} ended: ${reason}`), undefined);
      this.#end(reason);
    }
    return Promise.resolve();
  }
}
