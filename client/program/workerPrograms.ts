// The programs that are open on this worker. Each has a socket to the coordinator and a thread here; what comes from one
// goes to the other, and when either ends, so does the other.

import { OpenedProgram } from './openedProgram.ts';
import type { ProgramEnvironment } from './openedProgram.ts';

/** A worker has no use for more, and each costs a thread. */
const MAX_PROGRAMS = 256;

export class WorkerPrograms {
  readonly #environment: ProgramEnvironment;
  readonly #open = new Map<string, OpenedProgram>();
  #whenIdle: () => void = () => undefined;

  constructor(environment: ProgramEnvironment) {
    this.#environment = environment;
  }

  get count(): number {
    return this.#open.size;
  }

  open(instanceId: string): void {
    if (this.#open.has(instanceId)) return;
    if (this.#open.size >= MAX_PROGRAMS) {
      this.#environment.log(`Program ${instanceId} is refused: ${MAX_PROGRAMS} are open.`);
      return;
    }
    const program = new OpenedProgram(instanceId, this.#environment);
    this.#open.set(instanceId, program);
    this.#environment.onChange();
    void program.ended.then((reason) => {
      this.#environment.log(`Program ${instanceId} is over: ${reason}.`);
      this.#open.delete(instanceId);
      this.#environment.onChange();
      if (this.#open.size === 0) this.#whenIdle();
    });
  }

  lendShare(share: number): void {
    for (const program of this.#open.values()) program.lendShare(share);
  }

  /** Resolves when the coordinator has closed them all. */
  idle(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenIdle = resolve));
  }

  /** Ends them all, at once. */
  close(reason: string): void {
    for (const program of this.#open.values()) program.close(reason);
  }
}
