// CSV and JSON lines, plain and in each compression. What is damaged inside a compressed file seldom gets past its checksums:
// Zstandard, as DuckDB writes it, has none.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Dataset } from '../../coordinator/data/dataset.ts';
import { type DecodeFile, DecodedSource } from '../../coordinator/data/source/decodedSource.ts';
import { decodeCsv } from '../../coordinator/data/text/decodeCsv.ts';
import { decodeJson } from '../../coordinator/data/text/decodeJson.ts';
import { textFormat } from '../../coordinator/data/text/textFormat.ts';
import { withDuck } from '../coordinator/data/support/duck.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { memoryFile } from './memoryFile.ts';

const SQL = `
  SELECT i AS whole, CASE WHEN i % 3 = 0 THEN NULL ELSE i / 7.0 END AS real, 'wörd "' || (i % 5) || E'",\\n' AS word,
    i % 2 = 0 AS flag, TIMESTAMP '2001-01-01' + to_seconds(i) AS moment, i + 9007199254740993 AS id
  FROM range(200) t(i)`;

const settings = { types: new Map(), batchRows: 64 };

/** Few bytes of a compressed file may stand for gigabytes: enough is read to see how that goes on. */
const MOST_ROWS = 100_000;

function textTarget(name: 'csv' | 'json', decode: DecodeFile): FuzzTarget {
  return {
    name,
    async files() {
      const folder = mkdtempSync(join(tmpdir(), 'tabgrad-fuzz-'));
      try {
        return await withDuck(async (duck) => {
          const [plain, packed] = [join(folder, 'plain'), join(folder, 'packed')];
          await duck.run(`COPY (${SQL}) TO '${plain}' (FORMAT ${name})`);
          await duck.run(`COPY (${SQL}) TO '${packed}' (FORMAT ${name}, COMPRESSION zstd)`);
          const [text, zstd] = [plain, packed].map((file) => new Uint8Array(readFileSync(file)));
          return [
            text!,
            zstd!,
            zstd!,
            new Uint8Array(gzipSync(text!)),
            new Uint8Array(brotliCompressSync(text!)),
          ];
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    read(bytes) {
      // Brotli is known by its name alone; the others are told by their first bytes.
      const isText = bytes[0] !== undefined && bytes[0] >= 0x20 && bytes[0] < 0x80 && bytes[0] !== 0x28;
      const list = () => Promise.resolve([memoryFile(`fuzzed.${name}${isText ? '' : '.br'}`, bytes)]);
      return Dataset.fromSource(new DecodedSource('fuzzed', list, decode, {})).take(MOST_ROWS);
    },
  };
}

export const csvTarget = textTarget('csv', (file, schema, signal) =>
  decodeCsv(
    file,
    schema,
    {
      ...settings,
      delimiter: undefined,
      hasHeader: true,
      columnNames: undefined,
      encoding: 'utf-8',
      format: textFormat({}),
    },
    signal,
  ),
);

export const jsonTarget = textTarget('json', (file, schema, signal) =>
  decodeJson(file, schema, settings, signal),
);
