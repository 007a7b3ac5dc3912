// How far a loop has come at one member, and how a group agrees on it: the latest report that any member has; those without
// its checkpoint take it from one who has it; where nobody has, from the blob store.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { packFiles, unpackFiles, type PackedFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { BadAssignmentError } from '../../memberRun/errors.ts';
import type { Assignment } from '../../memberRun/memberRun.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';

export class LoopState {
  readonly #spec: LoopSpec;
  readonly #environment: SessionEnvironment;
  /** Committed here; -1 before the first group. */
  reports = -1;
  /** Of the last report that had one. */
  checkpoint: PackedFiles | undefined;

  constructor(spec: LoopSpec, environment: SessionEnvironment) {
    this.#spec = spec;
    this.#environment = environment;
  }

  async settle(
    collective: Collective,
    savedState: Assignment['savedState'],
    signal: AbortSignal,
  ): Promise<void> {
    const own = Uint8Array.from(String(this.reports), (digit) => digit.charCodeAt(0));
    const told = await collective.allGather(own, { signal });
    const all = told.map((bytes, from) => readFromPeer(collective, from, () => readCount(bytes)));
    const latest = Math.max(...all);
    const stored = savedState ?? this.#startingState();
    if (stored && stored.rounds > latest) {
      const { sha256, sizeBytes, rounds } = stored;
      this.checkpoint = kept(await this.#environment.fetchBlob(sha256, { sizeBytes, signal }));
      this.reports = rounds;
      return;
    }
    if (latest > 0 && !all.every((reports) => reports === latest)) {
      const giver = all.indexOf(latest);
      const bytes = await collective.broadcast(
        collective.rank === giver ? this.packed() : new Uint8Array(),
        giver,
        { signal },
      );
      if (this.reports !== latest) this.checkpoint = readFromPeer(collective, giver, () => kept(bytes));
    }
    this.reports = Math.max(0, latest);
  }

  /** As it is stored; without any file where no report had a checkpoint. */
  packed(): Uint8Array<ArrayBuffer> {
    return packFiles(this.checkpoint ?? new Map());
  }

  #startingState():
    | { readonly sha256: string; readonly sizeBytes: number; readonly rounds: number }
    | undefined {
    const { startingCheckpoint } = this.#spec;
    return startingCheckpoint && { ...startingCheckpoint, rounds: 0 };
  }
}

function kept(packed: Uint8Array): PackedFiles | undefined {
  const files = unpackFiles(packed);
  return files.size === 0 ? undefined : files;
}

function readCount(bytes: Uint8Array): number {
  const count = Number(String.fromCharCode(...bytes.subarray(0, 20)));
  if (Number.isSafeInteger(count) && count >= -1) return count;
  throw new BadAssignmentError('a member said something else than how many reports it has');
}
