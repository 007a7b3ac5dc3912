import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderBlobStore } from '../../../coordinator/core/blobs/folderBlobStore.ts';
import { writeError } from '../../../coordinator/data/store/writeError.ts';
import { isDiskFull } from '../../../coordinator/files/isDiskFull.ts';
import { storeFailure } from '../../../coordinator/core/store/storeErrors.ts';
import { writeFailure } from '../../../coordinator/train/record/atomicWrite.ts';

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'write' });

it('knows what the operating system says of a full device', async () => {
  const said = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  expect(isDiskFull(said)).toBe(true);
});

it('knows what the database says of a full device', () => {
  expect(isDiskFull(systemError('SQLITE_FULL'))).toBe(true);
});

it.each(['EACCES', 'ENOENT', 'SQLITE_BUSY'])('takes %s for something else', (code) => {
  expect(isDiskFull(systemError(code))).toBe(false);
});

it.each([undefined, null, 'ENOSPC', { code: 'ENOSPC' }])('takes %j for something else', (thrown) => {
  expect(isDiskFull(thrown)).toBe(false);
});

it.each(['ENOSPC', 'EDQUOT'])(
  'is %s to the data, the results, the blobs and the record alike',
  async (code) => {
    const error = systemError(code);
    expect(writeError(error, 'a.csv')).toMatchObject({ code: 'DATA_DISK_FULL', cause: error });
    expect(writeFailure(error, 'result.json').message).toContain('the disk has no room left');
    expect(storeFailure(error, 'Run r')).toMatchObject({ code: 'STORAGE_FULL', cause: error });
    const folder = mkdtempSync(join(tmpdir(), 'full-'));
    try {
      const store = await FolderBlobStore.open(folder);
      const failing = (function* (): Generator<Uint8Array> {
        yield Uint8Array.of(1);
        throw error;
      })();
      await expect(store.putStream(failing)).rejects.toMatchObject({ code: 'STORAGE_FULL', cause: error });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
