// Whether all members of a group have the same state, and how they come to have it.

import { othersOf, PeerMessageError, readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { StateSection, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { checksum32 } from '../../../shared/wire/checksum.ts';
import { sha256Hex } from '../../blobs/sha256Hex.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';
import { stateSections } from './memberState.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

/** A SHA-256 in hexadecimal digits. */
const HASH_BYTES = 64;

type Group = Pick<GenerationContext, 'collective' | 'rank' | 'signal'>;

/**
 * Where members may differ, the first rank's parameters and statistics are taken; of a state that is to be stored, all of it.
 * @returns whether they may differ from now on: they did before, or that was found here. The same answer at all members.
 */
export async function keepEqual(
  engine: TrainingEngine,
  group: Group,
  {
    isMixed,
    isCompared,
    isStored,
  }: { readonly isMixed: boolean; readonly isCompared: boolean; readonly isStored: boolean },
): Promise<boolean> {
  const differs =
    isMixed || (isCompared && !(await areEqual(engine, isStored ? stateSections : ['parameters'], group)));
  if (differs) {
    const sections = isStored ? stateSections : (['parameters', 'statistics'] as const);
    await takeFromFirst(engine, sections, group, isStored);
  }
  return differs;
}

/** Compares checksums of the sections. The same answer at all members. */
async function areEqual(
  engine: TrainingEngine,
  sections: readonly StateSection[],
  { collective, signal }: Group,
): Promise<boolean> {
  const values = await Promise.all(sections.map((section) => engine.read(section)));
  const own = Uint32Array.from(values, (one) => checksum32(bytesUnder(one)));
  const all = await collective.allGather(new Uint8Array(own.buffer), {
    signal,
    maxBytes: own.byteLength,
  });
  return all.every((one) => one.join() === all[0]!.join());
}

/**
 * The first rank's state becomes that of all members.
 * @param isVerified the first rank sends a hash of each section before, the same to all: the section has to have it. Otherwise
 *   it, or a member that passes the state on, could send each member another one; the coordinator compares the hashes of states
 *   that are to be stored.
 */
async function takeFromFirst(
  engine: TrainingEngine,
  sections: readonly StateSection[],
  { collective, rank, signal }: Group,
  isVerified: boolean,
): Promise<void> {
  for (const section of sections) {
    const length = engine.layout.lengths[section];
    if (length === 0) continue;
    const own = rank === 0 ? bytesUnder(await engine.read(section)) : new Uint8Array(0);
    const hash = isVerified ? await hashOfFirst(own, { collective, rank, signal }) : undefined;
    const first = await collective.broadcast(own, 0, { signal, maxBytes: 4 * length });
    if (hash !== undefined && (await sha256Hex(first)) !== hash) {
      // With few members the first rank sends to each, else each passes it on to the next.
      throw new PeerMessageError(
        `The ${section} that came do not have the hash that the first rank named`,
        othersOf(collective),
      );
    }
    if (rank > 0)
      engine.write(
        section,
        readFromPeer(collective, 0, () => floatsOf(first, length)),
      );
  }
}

async function hashOfFirst(own: Uint8Array, { collective, rank, signal }: Group): Promise<string> {
  const text = new TextEncoder().encode(rank === 0 ? await sha256Hex(own) : '');
  const told = await collective.allGather(text, { signal, maxBytes: HASH_BYTES });
  return new TextDecoder().decode(told[0]);
}

function floatsOf(bytes: Uint8Array, length: number): Float32Array {
  if (bytes.byteLength !== 4 * length)
    throw new RangeError(`${bytes.byteLength} bytes are no ${length} numbers; expected ${4 * length}`);
  return new Float32Array(bytes.slice().buffer);
}
