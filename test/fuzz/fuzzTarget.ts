// What is fed with damaged bytes: a format, by its valid files and its reader.

import { TabgradError } from '../../kernels/errors.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { mutate } from './mutate.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Small valid files, as different as the format allows. They are made anew, the same each time. */
  files(): Promise<readonly Uint8Array[]>;
  /** How a file of this format is damaged, where changed bytes would not get far. Default: in its bytes alone. */
  readonly damage?: (bytes: Uint8Array, random: () => number) => Uint8Array;
  /** Reads all of it, as a user would. Whatever is thrown must be a TabgradError with a code other than INTERNAL. */
  read(bytes: Uint8Array): Promise<unknown>;
}

/** The damaged file of that number. */
export function damagedFile(
  { damage = mutate }: FuzzTarget,
  files: readonly Uint8Array[],
  number: number,
): Uint8Array {
  return damage(files[number % files.length]!, seededRandom(number));
}

/** @returns what is wrong with how the target took it; undefined when it read it or refused it with a code. */
export async function complaintOf(target: FuzzTarget, bytes: Uint8Array): Promise<string | undefined> {
  try {
    await target.read(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof TabgradError && error.code !== 'INTERNAL') return undefined;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
