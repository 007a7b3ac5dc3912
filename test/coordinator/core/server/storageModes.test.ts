// What a coordinator stores is for its own account: rows of the owner, records and keys.

import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';

describe('the storage folder', () => {
  let folder: string;
  let log: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modes-'));
    log = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

  /** Starts a coordinator on `storagePath`, stores a blob, and ends it. */
  async function live(storagePath: string): Promise<void> {
    const coordinator = await startCoordinator({
      port: 0,
      storagePath,
      tls: { selfMadeIn: storagePath },
      log: ({ level, message }) => void log.push(`${level}: ${message}`),
    });
    await coordinator.blobs.putBytes(Buffer.from('rows of the owner'));
    await coordinator.close();
  }

  it('is closed to other accounts, with every folder and file in it', async () => {
    const storagePath = join(folder, 'new/storage');
    await live(storagePath);
    const entries = await readdir(storagePath, { recursive: true, withFileTypes: true });
    const modes = await Promise.all(
      entries.map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return `${entry.isDirectory() ? 'folder' : 'file'} ${await modeOf(path)}`;
      }),
    );
    expect([...new Set(modes)].sort()).toEqual(['file 600', 'folder 700']);
    // Record, key files and blob; folders of blobs, of unfinished ones, of this one, and of keys.
    expect(modes.filter((mode) => mode.startsWith('file')).length).toBeGreaterThanOrEqual(5);
    expect([await modeOf(storagePath), await modeOf(join(folder, 'new'))]).toEqual(['700', '700']);
    expect(log).toEqual([]);
  });

  it('has its blobs closed to others where they were open, with a word to the owner', async () => {
    const blobs = join(folder, 'blobs');
    await mkdir(join(blobs, 'ab'), { recursive: true });
    await chmod(blobs, 0o755);
    await chmod(folder, 0o755);
    await live(folder);
    expect([await modeOf(blobs), await modeOf(folder)]).toEqual(['700', '755']);
    expect(log).toEqual([
      `warn: ${blobs} could be opened by other accounts (mode 755); now by its owner alone`,
    ]);
  });
});
