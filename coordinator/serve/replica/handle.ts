// Handles: how one deployment, or the owner's script, calls another deployment without HTTP.

import { ServeArgumentError } from '../request/serveErrors.ts';
import { AnswerStream } from '../stream/answerStream.ts';

/** Calls a method of a deployment by name. */
export type HandleCaller = (deployment: string, method: string, args: readonly unknown[]) => Promise<unknown>;

/** A method of a deployment, called on one of its replicas. */
export interface HandleMethod {
  /** Calls it on one of the replicas. Arguments and result must be values that threads can copy. */
  remote(...args: readonly unknown[]): Promise<unknown>;
  /**
   * Calls a method that answers in pieces: an async iterable, a ReadableStream or a generator. The replica makes them as
   * they are taken, and stops where the loop is left.
   * @throws also ServeArgumentError, from the first step, where the method answers with something else.
   */
  stream(...args: readonly unknown[]): AsyncIterable<unknown>;
}

/** Calls a deployment without HTTP, from a script or from another deployment. */
export class DeploymentHandle implements HandleMethod {
  /** Name of the deployment that is called. */
  readonly deploymentName: string;
  readonly #caller: HandleCaller;

  /** Made by Serve.run, and where an application is an argument of `bind`. */
  constructor(deploymentName: string, caller: HandleCaller) {
    this.deploymentName = deploymentName;
    this.#caller = caller;
  }

  /**
   * Calls the deployment's `call` method on the replica that has least to do.
   * @throws OverloadedError, DeadlineError, ReplicaLostError, OwnerCodeError when the class throws.
   */
  remote(...args: readonly unknown[]): Promise<unknown> {
    return this.#caller(this.deploymentName, 'call', args);
  }

  /** `for await (const piece of handle.stream(prompt))` */
  stream(...args: readonly unknown[]): AsyncIterable<unknown> {
    return this.method('call').stream(...args);
  }

  /** Another method of its class: `handle.method('total').remote(3)`. */
  method(name: string): HandleMethod {
    const remote = (...args: readonly unknown[]): Promise<unknown> =>
      this.#caller(this.deploymentName, name, args);
    const open = async (args: readonly unknown[]): Promise<AnswerStream> => {
      const answer = await remote(...args);
      if (answer instanceof AnswerStream) return answer;
      throw new ServeArgumentError(
        `Method "${name}" of deployment "${this.deploymentName}" does not answer in pieces; call it with remote().`,
      );
    };
    return {
      remote,
      stream: (...args) => ({ [Symbol.asyncIterator]: () => openedAtFirst(() => open(args)) }),
    };
  }
}

/** Calls when the first piece is asked for: a stream that is not read holds no replica. */
function openedAtFirst(open: () => Promise<AnswerStream>): AsyncIterator<unknown> {
  let opened: Promise<AnswerStream> | undefined;
  return {
    next: async () => (await (opened ??= open())).next(),
    return: () => {
      void opened?.then((stream) => stream.return()).catch(() => undefined);
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

/** Stands for a handle among bound arguments, until the class is constructed. */
export class HandleMark {
  readonly tabgradHandle: string;

  constructor(deployment: string) {
    this.tabgradHandle = deployment;
  }
}

/** Bound arguments with handles in place of their marks, inside arrays and plain objects too. */
export function reviveHandles(value: unknown, caller: HandleCaller): unknown {
  if (Array.isArray(value)) return value.map((item) => reviveHandles(item, caller));
  if (typeof value !== 'object' || value === null) return value;
  // Copied between threads a mark is a plain object.
  const name: unknown = 'tabgradHandle' in value ? value.tabgradHandle : undefined;
  if (typeof name === 'string' && Object.keys(value).length === 1) return new DeploymentHandle(name, caller);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reviveHandles(item, caller)]));
}
