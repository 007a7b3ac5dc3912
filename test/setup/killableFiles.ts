// The file system as a process meets it that is killed in the middle of its work: from some step on, nothing happens.

import type * as fsPromises from 'node:fs/promises';

/** Steps that change the disk are counted; beyond `at` they fail. A plain value, since mocks are made before classes. */
export interface Kill {
  steps: number;
  at: number;
}

/** Begins another life, which ends after so many steps. */
export function liveFor(kill: Kill, steps: number): void {
  kill.steps = 0;
  kill.at = steps;
}

async function step<T>(kill: Kill, act: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> {
  kill.steps += 1;
  if (kill.steps <= kill.at) return act();
  // The step during which it ends may be half done.
  if (kill.steps === kill.at + 1) await half?.();
  throw new Error('killed');
}

/** To be given by a mock of node:fs/promises. Reading goes on: who is dead does not read. */
export function killableFiles(real: typeof fsPromises, kill: Kill): typeof fsPromises {
  return {
    ...real,
    mkdir: (...call: Parameters<typeof real.mkdir>) => step(kill, () => real.mkdir(...call)),
    rename: (...call: Parameters<typeof real.rename>) => step(kill, () => real.rename(...call)),
    rm: (...call: Parameters<typeof real.rm>) => step(kill, () => real.rm(...call)),
    rmdir: (...call: Parameters<typeof real.rmdir>) => step(kill, () => real.rmdir(...call)),
    open: async (...call: Parameters<typeof real.open>) => {
      const file = await step(kill, () => real.open(...call));
      const write = file.writeFile.bind(file);
      file.writeFile = (data) => {
        const bytes = Buffer.from(data as Uint8Array);
        return step(
          kill,
          () => write(bytes),
          () => write(bytes.subarray(0, bytes.byteLength >> 1)),
        );
      };
      return file;
    },
  } as typeof fsPromises;
}
