// Whether all members of a group have the same parameters, and how they come to have them.

import type { TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { checksum32 } from '../../../shared/wire/checksum.ts';
import type { GenerationContext } from '../../session/memberRun.ts';

type Group = Pick<GenerationContext, 'collective' | 'rank' | 'signal'>;

/** Compares checksums of the parameters. The same answer at all members. */
export async function areEqual(engine: TrainingEngine, { collective, signal }: Group): Promise<boolean> {
  const own = Uint32Array.of(checksum32(bytesOf(await engine.read('parameters'))));
  const all = await collective.allGather(new Uint8Array(own.buffer), { signal });
  return all.every((one) => one.join() === all[0]!.join());
}

/** Parameters and statistics of the first rank become everybody's. */
export async function takeFromFirst(
  engine: TrainingEngine,
  { collective, rank, signal }: Group,
): Promise<void> {
  for (const section of ['parameters', 'statistics'] as const) {
    const length = engine.layout.lengths[section];
    if (length === 0) continue;
    const own = rank === 0 ? bytesOf(await engine.read(section)) : new Uint8Array(0);
    const first = await collective.broadcast(own, 0, { signal });
    if (rank > 0) engine.write(section, new Float32Array(first.slice().buffer, 0, length));
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
