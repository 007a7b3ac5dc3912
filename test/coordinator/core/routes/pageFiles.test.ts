import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { PageFiles } from '../../../../coordinator/core/routes/pageFiles.ts';
import { scratchFolder } from '../../data/support/scratch.ts';

const path = scratchFolder();
const script = 'console.log(1);\n'.repeat(1000);
beforeEach(() => {
  mkdirSync(path('page'), { recursive: true });
  writeFileSync(path('page/a.js'), script);
  writeFileSync(path('page/small.css'), 'a{}');
  writeFileSync(path('page/b.png'), script);
});

describe('files of a page', () => {
  it.each(['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.5', '*', 'GZIP'])(
    'are compressed for "%s"',
    async (takes) => {
      const { bytes, headers } = await new PageFiles().read(path('page/a.js'), takes);
      expect(headers).toEqual({ vary: 'Accept-Encoding', 'content-encoding': 'gzip' });
      expect(bytes.length).toBeLessThan(script.length / 10);
      expect(gunzipSync(bytes).toString()).toBe(script);
    },
  );

  it.each([undefined, '', 'br', 'identity', 'gzip;q=0', 'gzip; q=0.000, *', '*;q=0'])(
    'are sent as they are for "%s"',
    async (takes) => {
      const { bytes, headers } = await new PageFiles().read(path('page/a.js'), takes);
      expect(headers).toEqual({ vary: 'Accept-Encoding' });
      expect(bytes.toString()).toBe(script);
    },
  );

  it('are sent as they are where little or nothing is gained', async () => {
    const files = new PageFiles();
    expect((await files.read(path('page/small.css'), 'gzip')).headers).toEqual({ vary: 'Accept-Encoding' });
    expect((await files.read(path('page/b.png'), 'gzip')).headers).toEqual({});
  });

  it('are compressed anew when they were built anew', async () => {
    const files = new PageFiles();
    await files.read(path('page/a.js'), 'gzip');
    writeFileSync(path('page/a.js'), script.replaceAll('1', '2'));
    utimesSync(path('page/a.js'), 9, 9);
    const { bytes } = await files.read(path('page/a.js'), 'gzip');
    expect(gunzipSync(bytes).toString()).toContain('console.log(2)');
    await expect(files.read(path('page/none.js'), 'gzip')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
