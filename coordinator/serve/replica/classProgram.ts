// An owner's class as a replica runs it. Over HTTP its `call` gets a ServeRequest; handles call any of its methods.

import { TabgradError } from '../../../kernels/errors.ts';
import { ServeRequest, type RequestParts } from '../../../shared/serve/serveRequest.ts';
import { wireAnswer } from './ownerHttp.ts';
import { OwnerCodeError, ServeArgumentError } from '../request/serveErrors.ts';
import { piecesOf, StreamedAnswer, withErrors } from '../stream/streamedAnswer.ts';
import type { ReplicaOp, ReplicaProgram } from './replica.ts';

/** A class that can be deployed. */
// oxlint-disable-next-line typescript/no-explicit-any -- constructors of any parameters, to be inferred where bound
export type DeployableClass = new (...args: any[]) => object;

export class ClassProgram implements ReplicaProgram {
  readonly #deployment: string;
  readonly #instance: Readonly<Record<string, unknown>>;

  private constructor(deployment: string, instance: object) {
    this.#deployment = deployment;
    this.#instance = instance as Readonly<Record<string, unknown>>;
  }

  /** Constructs the class; where it has an `init` method, waits for that too. @throws OwnerCodeError */
  static async make(
    deployment: string,
    target: DeployableClass,
    args: readonly unknown[],
  ): Promise<ClassProgram> {
    try {
      const program = new ClassProgram(deployment, new target(...args));
      const init = program.#instance['init'];
      if (typeof init === 'function') await init.call(program.#instance);
      return program;
    } catch (error) {
      throw ownerError(`The constructor of deployment "${deployment}" threw`, error);
    }
  }

  async run(op: ReplicaOp, args: readonly unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    switch (op) {
      case 'http': {
        const parts = args[0] as RequestParts;
        const answer = await this.#invoke('call', [new ServeRequest(parts), signal]);
        return wireAnswer(answer, parts, (error) => this.#error('call', error));
      }
      case 'method': {
        const name = args[0] as string;
        const value = await this.#invoke(name, args[1] as readonly unknown[]);
        const pieces = piecesOf(value);
        return pieces
          ? new StreamedAnswer(
              undefined,
              withErrors(pieces, (error) => this.#error(name, error)),
            )
          : value;
      }
      case 'health':
        return typeof this.#instance['checkHealth'] === 'function'
          ? this.#invoke('checkHealth', [])
          : undefined;
      case 'infer':
      case 'predict':
      case 'rows':
        break;
    }
    throw new ServeArgumentError(
      `Deployment "${this.#deployment}" is a class of its owner's; it is called over plain HTTP.`,
    );
  }

  async #invoke(name: string, args: readonly unknown[]): Promise<unknown> {
    const method = name === 'constructor' || name in Object.prototype ? undefined : this.#instance[name];
    if (typeof method !== 'function')
      throw new ServeArgumentError(`Deployment "${this.#deployment}" has no method "${name}".`);
    try {
      return await method.apply(this.#instance, args);
    } catch (error) {
      throw this.#error(name, error);
    }
  }

  #error(method: string, error: unknown): TabgradError {
    return ownerError(`Deployment "${this.#deployment}" threw in ${method}`, error);
  }
}

/** tabgrad's own errors, of a handle or of ServeRequest.json, pass as they are. */
function ownerError(what: string, error: unknown): TabgradError {
  if (error instanceof TabgradError) return error;
  const status: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  const isStatus = Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
  const message = error instanceof Error ? error.message : String(error);
  return new OwnerCodeError(`${what}: ${message}`, {
    cause: error,
    status: isStatus ? (status as number) : undefined,
  });
}
