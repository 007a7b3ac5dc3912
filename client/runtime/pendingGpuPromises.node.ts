// Dawn aborts the whole process when a thread ends while one of its promises is pending ("Promise not resolved or rejected").
// So a thread that computes on it counts them, and ends when there are none.

/** Methods of its classes that answer with a promise. */
const asyncMethods: Readonly<Record<string, readonly string[]>> = {
  GPU: ['requestAdapter'],
  GPUAdapter: ['requestDevice'],
  GPUBuffer: ['mapAsync'],
  GPUDevice: ['createComputePipelineAsync', 'createRenderPipelineAsync', 'popErrorScope'],
  GPUQueue: ['onSubmittedWorkDone'],
  GPUShaderModule: ['getCompilationInfo'],
};

type AsyncMethod = (...args: unknown[]) => Promise<unknown>;

export class PendingGpuPromises {
  readonly #pending = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @param globals where Dawn's classes are, by name. */
  watch(globals: object): void {
    for (const [name, methods] of Object.entries(asyncMethods)) {
      const found = Reflect.get(globals, name) as { readonly prototype: object };
      for (const method of methods) this.#wrap(found.prototype, method);
    }
  }

  /** From now on nothing is asked of Dawn any more. Resolves when it has answered everything. */
  async none(): Promise<void> {
    this.#isClosed = true;
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  #wrap(prototype: object, method: string): void {
    const original = Reflect.get(prototype, method) as AsyncMethod;
    const ask = (target: unknown, args: unknown[]): Promise<unknown> => this.#ask(original, target, args);
    Object.defineProperty(prototype, method, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]) {
        return ask(this, args);
      },
    });
  }

  #ask(original: AsyncMethod, target: unknown, args: unknown[]): Promise<unknown> {
    // Code that waits for it ends with the thread.
    if (this.#isClosed) return new Promise(() => undefined);
    const promise: Promise<unknown> = Reflect.apply(original, target, args);
    this.#pending.add(promise);
    const settled = (): unknown => this.#pending.delete(promise);
    promise.then(settled, settled);
    return promise;
  }
}
