// Tells and stores the state of committed steps, beside the steps that follow.

import { tellState } from './tellState.ts';
import type { StepLoopOptions } from './stepLoopOptions.ts';

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
    this.#saving = this.#saving.then(async () => this.#tell(await encoded, step));
    this.#saving.catch(() => undefined); // Thrown where it is waited for.
  }

  /** Waits for what is told aside. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  /** Unless it is told already. */
  async save(): Promise<void> {
    const { state } = this.#options;
    if (this.#savedSteps < state.step) await this.#tell(await state.encode(), state.step);
  }

  async #tell(bytes: Uint8Array<ArrayBuffer>, rounds: number): Promise<void> {
    const { runId, context } = this.#options;
    await tellState(context, runId, rounds, bytes);
    this.#savedSteps = rounds;
  }
}
