// Handles: how one deployment, or the owner's script, calls another deployment without HTTP.

/** Calls a method of a deployment by name. */
export type HandleCaller = (deployment: string, method: string, args: readonly unknown[]) => Promise<unknown>;

export interface HandleMethod {
  /** Calls it on one of the replicas. Arguments and result must be values that threads can copy. */
  remote(...args: readonly unknown[]): Promise<unknown>;
}

export class DeploymentHandle implements HandleMethod {
  readonly deploymentName: string;
  readonly #caller: HandleCaller;

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

  /** Another method of its class: `handle.method('total').remote(3)`. */
  method(name: string): HandleMethod {
    return { remote: (...args) => this.#caller(this.deploymentName, name, args) };
  }
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
