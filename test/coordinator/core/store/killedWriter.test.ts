import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeKilledWriter } from './killedWriterSuite.ts';

describeKilledWriter('a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrad-killed-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
});
