// How far a loop has come at one member, and how a group agrees on it: by the hash of the checkpoint, as nets do; those without
// it take it from one who has it; where nobody has, from the blob store.

import { z } from 'zod';
import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { LoopSpec } from '../../../shared/neural/loop/loopSpec.ts';
import { packFiles, unpackFiles, type PackedFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { sha256Hex } from '../../blobs/sha256Hex.ts';
import { BadAssignmentError } from '../../memberRun/errors.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';
import { commonState, type HeldState } from '../run/commonState.ts';
import type { KnownState } from '../run/memberState.ts';

const MAX_GREETING_BYTES = 256;
/** As much as a run may store (coordinator/core/run/loopRun.ts). */
export const MAX_CHECKPOINT_BYTES = 2 ** 30;

const greeting = z.object({ step: z.int().min(-1), hash: z.string().max(64) });

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
    { savedState, committedRounds, stateHolders }: KnownState,
    signal: AbortSignal,
  ): Promise<void> {
    const packed = this.packed();
    const own: HeldState = { step: this.reports, hash: this.reports < 0 ? '' : await sha256Hex(packed) };
    const told = await collective.allGather(new TextEncoder().encode(JSON.stringify(own)), {
      signal,
      maxBytes: MAX_GREETING_BYTES,
    });
    const all = told.map((bytes, from) => readFromPeer(collective, from, () => readGreeting(bytes)));
    const common = commonState(all, stateHolders, committedRounds);
    const latest = common?.step ?? -1;
    const stored = savedState ?? this.#startingState();
    if (stored && stored.rounds > latest) {
      const { sha256, sizeBytes, rounds } = stored;
      this.checkpoint = kept(await this.#environment.fetchBlob(sha256, { sizeBytes, signal }));
      this.reports = rounds;
      return;
    }
    if (common && common.givers.length < all.length) {
      const giver = common.givers[0]!;
      const given = collective.rank === giver ? packed : new Uint8Array();
      const bytes = await collective.broadcast(given, giver, { signal, maxBytes: MAX_CHECKPOINT_BYTES });
      if (!common.givers.includes(collective.rank)) await this.#take(bytes, common.hash, collective, giver);
    } else if (!common) {
      this.checkpoint = undefined;
    }
    this.reports = Math.max(0, latest);
  }

  async #take(bytes: Uint8Array, hash: string, collective: Collective, giver: number): Promise<void> {
    const given = await sha256Hex(bytes);
    this.checkpoint = readFromPeer(collective, giver, () => {
      if (given === hash) return kept(bytes);
      throw new BadAssignmentError('a checkpoint of another hash than most members have');
    });
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

function readGreeting(bytes: Uint8Array): HeldState {
  return greeting.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
