// Stores the state of committed steps in the blob store, beside the steps that follow.

import type { StepLoopOptions } from './stepLoop.ts';

type SaverOptions = Pick<StepLoopOptions, 'context' | 'runId' | 'savedSteps' | 'state'>;

export class StateSaver {
  readonly #options: SaverOptions;
  #savedSteps: number;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: SaverOptions) {
    this.#options = options;
    this.#savedSteps = options.savedSteps;
  }

  saveAside(): void {
    // The engine is read in order, before the next step changes it.
    const encoded = this.#options.state.encode();
    const { step } = this.#options.state;
    this.#saving = this.#saving.then(async () => this.#upload(await encoded, step));
    this.#saving.catch(() => undefined); // Thrown where it is waited for.
  }

  /** Waits for what is stored aside. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  /** Unless it is stored already. */
  async save(): Promise<void> {
    const { state } = this.#options;
    if (this.#savedSteps < state.step) await this.#upload(await state.encode(), state.step);
  }

  async #upload(bytes: Uint8Array<ArrayBuffer>, rounds: number): Promise<void> {
    const { runId, context } = this.#options;
    const { environment, generation, signal } = context;
    const address = await environment.putBlob(bytes, signal);
    environment.send({ type: 'saved', runId, generation, rounds, ...address });
    this.#savedSteps = rounds;
  }
}
