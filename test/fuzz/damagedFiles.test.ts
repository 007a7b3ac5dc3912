import { describe, expect, it } from 'vitest';
import { complaintOf, damagedFile } from './fuzzTarget.ts';
import { fuzzTargets } from './targets.ts';

/** Of each format; `npm run test:fuzz` reads ten thousand. */
const COUNT = 200;

for (const target of fuzzTargets) {
  describe(`damaged files (${target.name})`, () => {
    it('are read, or refused with a code', async () => {
      const files = await target.files();
      for (const bytes of files) expect(await complaintOf(target, bytes)).toBeUndefined();
      for (let number = 1; number <= COUNT; number++) {
        expect(
          await complaintOf(target, damagedFile(target, files, number)),
          `file ${number}`,
        ).toBeUndefined();
      }
    });
  });
}
