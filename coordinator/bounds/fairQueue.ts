// Work that is done one piece at a time, for parties that distrust one another: who asks for much waits for its own work,
// and the others take turns with it. Who does not want its work any more waits for nothing and costs nothing.

import { AbortedError } from '../../kernels/errors.ts';

type Job = () => Promise<void>;

export class FairQueue {
  /** Jobs that wait, by party; the party whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<Job>>();
  #isBusy = false;

  /**
   * Does work when the party's turn comes.
   * @param party who asks: an address, a worker.
   * @param signal withdraws work that has not begun; work that has begun may look at it.
   * @throws AbortedError, or what the work throws.
   */
  run<T>(party: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const withdraw = (): void => {
        const jobs = this.#waiting.get(party);
        jobs?.delete(job);
        if (jobs?.size === 0) this.#waiting.delete(party);
        reject(new AbortedError('The work was withdrawn before its turn.'));
      };
      const job = async (): Promise<void> => {
        signal.removeEventListener('abort', withdraw);
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      };
      if (signal.aborted) {
        withdraw();
        return;
      }
      signal.addEventListener('abort', withdraw, { once: true });
      const jobs = this.#waiting.get(party) ?? new Set();
      this.#waiting.set(party, jobs.add(job));
      if (!this.#isBusy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let job = this.#next(); job; job = this.#next()) await job();
    this.#isBusy = false;
  }

  #next(): Job | undefined {
    for (const [party, jobs] of this.#waiting) {
      const [job] = jobs;
      this.#waiting.delete(party);
      jobs.delete(job!);
      if (jobs.size > 0) this.#waiting.set(party, jobs);
      return job;
    }
    return undefined;
  }
}
