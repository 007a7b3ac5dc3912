// Carries out what the run machine wants checked: draws the seeds, asks the members, and has their answers judged.

import { randomBytes } from 'node:crypto';
import type { RoundAuditor, Verdict } from '../trust/roundAudit.ts';
import type { Sent } from './placeMessages.ts';
import type { CommittedRound, RunRequest } from './runRequest.ts';
import type { RunCommand } from './runState.ts';

/** Nobody can guess a seed. */
const SEED_BYTES = 16;

export class RunAudits {
  readonly #request: RunRequest;
  readonly #open: ((request: RunRequest) => RoundAuditor) | undefined;
  #auditor: RoundAuditor | undefined;
  #seed = '';

  /** @param open is called when the first rounds are to be judged. */
  constructor(request: RunRequest, open: ((request: RunRequest) => RoundAuditor) | undefined) {
    this.#request = request;
    this.#open = open;
  }

  /** The seed is drawn now: all contributions to these rounds have been sent. @returns asks the members. */
  check(
    { generation, firstRound, endRound, workerIds, isAgain = false }: Extract<RunCommand, { type: 'check' }>,
    send: (sent: Sent) => void,
  ): () => void {
    if (!isAgain) this.#seed = randomBytes(SEED_BYTES).toString('hex');
    const { runId } = this.#request;
    const message = { type: 'check', runId, generation, firstRound, endRound, seed: this.#seed } as const;
    return () => {
      for (const workerId of workerIds) send({ workerId, message });
    };
  }

  /** @param record of the run; it may grow meanwhile. */
  audit(
    { generation: _generation, ...task }: Extract<RunCommand, { type: 'audit' }>,
    record: readonly CommittedRound[],
  ): Promise<Verdict> {
    this.#auditor ??= this.#open?.(this.#request);
    if (!this.#auditor) throw new Error('a check was asked for without an auditor');
    const recorded = record.slice(0, task.firstRound).map(({ payload }) => payload);
    return this.#auditor.audit({ ...task, seed: this.#seed }, (from) => recorded.slice(from));
  }

  async close(): Promise<void> {
    await this.#auditor?.close();
  }
}
