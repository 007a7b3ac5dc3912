// The profile of a run's last step, as files in the run's folder and as a table.

import { profileTable, profileTrace } from '../../../shared/neural/engine/profileReport.ts';
import { NeuralSpecError } from '../../../shared/neural/run/readNeuralSpec.ts';
import { readStepProfile, timelineTrace, type StepProfile } from '../../../shared/neural/run/stepProfile.ts';
import type { RunFolder } from '../record/runFolder.ts';

/**
 * @param bytes one worker's word: where it is damaged, the run is as good without it.
 * @param warn told why there is no profile.
 * @returns the table.
 */
export async function writeProfile(
  bytes: Uint8Array,
  folder: Pick<RunFolder, 'writeBeside'>,
  warn: (message: string) => void,
): Promise<string | undefined> {
  let profile: StepProfile;
  try {
    profile = readStepProfile(bytes);
  } catch (error) {
    if (!(error instanceof NeuralSpecError)) throw error;
    warn(`There is no profile of the last step: ${error.message}.`);
    return undefined;
  }
  await folder.writeBeside('profile.json', profileTrace(profile.ops));
  await folder.writeBeside('timeline.json', timelineTrace(profile));
  return profileTable(profile.ops);
}
