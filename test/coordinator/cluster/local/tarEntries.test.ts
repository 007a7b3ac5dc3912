import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tarEntries } from '../../../../coordinator/cluster/local/tarEntries.ts';

test('reads what tar writes: files of all lengths, long paths, modes, and no folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-test-'));
  try {
    const deep = join('d'.repeat(60), 'e'.repeat(60));
    mkdirSync(join(folder, deep), { recursive: true });
    const contents: Record<string, Buffer> = { [join(deep, 'long')]: Buffer.from('deep') };
    for (const length of [0, 1, 511, 512, 513, 5000]) {
      contents[`f${length}`] = Buffer.alloc(length, length % 256);
    }
    for (const [path, content] of Object.entries(contents)) writeFileSync(join(folder, path), content);
    writeFileSync(join(folder, 'run'), 'x', { mode: 0o755 });
    const archive = execFileSync('tar', ['--format=ustar', '-cf', '-', '-C', folder, '.']);
    const read = [...tarEntries(archive)];
    expect(read.filter(({ executable }) => executable).map(({ path }) => path)).toEqual(['./run']);
    for (const [path, content] of Object.entries(contents)) {
      const entry = read.find((one) => one.path === `./${path}`);
      expect(Buffer.from(entry!.content).equals(content)).toBe(true);
    }
    expect(read).toHaveLength(Object.keys(contents).length + 1);
    expect(() => [...tarEntries(archive.subarray(0, archive.indexOf('f5000') + 600))]).toThrow(RangeError);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
