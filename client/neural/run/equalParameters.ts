// Whether all members of a group have the same state, and how they come to have it.

import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { StateSection, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { checksum32 } from '../../../shared/wire/checksum.ts';
import type { GenerationContext } from '../../memberRun/memberRun.ts';
import { stateSections } from './memberState.ts';

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
  if (differs) await takeFromFirst(engine, isStored ? stateSections : ['parameters', 'statistics'], group);
  return differs;
}

/** Compares checksums of the sections. The same answer at all members. */
async function areEqual(
  engine: TrainingEngine,
  sections: readonly StateSection[],
  { collective, signal }: Group,
): Promise<boolean> {
  const values = await Promise.all(sections.map((section) => engine.read(section)));
  const own = Uint32Array.from(values, (one) => checksum32(bytesOf(one)));
  const all = await collective.allGather(new Uint8Array(own.buffer), { signal });
  return all.every((one) => one.join() === all[0]!.join());
}

/** What the first rank has becomes everybody's. */
async function takeFromFirst(
  engine: TrainingEngine,
  sections: readonly StateSection[],
  { collective, rank, signal }: Group,
): Promise<void> {
  for (const section of sections) {
    const length = engine.layout.lengths[section];
    if (length === 0) continue;
    const own = rank === 0 ? bytesOf(await engine.read(section)) : new Uint8Array(0);
    const first = await collective.broadcast(own, 0, { signal });
    if (rank > 0)
      engine.write(
        section,
        readFromPeer(collective, 0, () => floatsOf(first, length)),
      );
  }
}

function floatsOf(bytes: Uint8Array, length: number): Float32Array {
  if (bytes.byteLength !== 4 * length)
    throw new RangeError(`${bytes.byteLength} bytes are no ${length} numbers; expected ${4 * length}`);
  return new Float32Array(bytes.slice().buffer);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
