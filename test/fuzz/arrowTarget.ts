// Arrow IPC, as a file and as a stream, with columns of every type that the library builds.

import * as arrow from 'apache-arrow';
import { Dataset } from '../../coordinator/data/dataset.ts';
import { decodeArrow } from '../../coordinator/data/source/decodeArrow.ts';
import { DecodedSource } from '../../coordinator/data/source/decodedSource.ts';
import { batchOfBytes } from '../../shared/columns/ipc/batchBytes.ts';
import { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';
import { rowsOf } from '../../shared/columns/valuesOf.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { memoryFile } from './memoryFile.ts';

function table(): arrow.Table {
  const rows = Array.from({ length: 60 }, (_, i) => i);
  const some = <T>(value: (i: number) => T): (T | null)[] => rows.map((i) => (i % 4 === 0 ? null : value(i)));
  const item = new arrow.Field('item', new arrow.Int32(), true);
  const word = new arrow.Field('word', new arrow.Utf8(), true);
  return new arrow.Table({
    whole: arrow.vectorFromArray(
      some((i) => BigInt(i)),
      new arrow.Int64(),
    ),
    small: arrow.vectorFromArray(
      some((i) => i),
      new arrow.Uint8(),
    ),
    real: arrow.vectorFromArray(
      some((i) => i / 3),
      new arrow.Float64(),
    ),
    flag: arrow.vectorFromArray(
      some((i) => i % 2 === 0),
      new arrow.Bool(),
    ),
    text: arrow.vectorFromArray(
      some((i) => `text ${i}`),
      new arrow.Utf8(),
    ),
    large: arrow.vectorFromArray(
      some((i) => `large ${i}`),
      new arrow.LargeUtf8(),
    ),
    bytes: arrow.vectorFromArray(
      some((i) => Uint8Array.of(i, 255)),
      new arrow.Binary(),
    ),
    word: arrow.vectorFromArray(
      some((i) => `w${i % 5}`),
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
    ),
    when: arrow.vectorFromArray(
      some((i) => new Date(i * 1e9)),
      new arrow.TimestampMillisecond(),
    ),
    list: arrow.vectorFromArray(
      some((i) => [i, null]),
      new arrow.List(item),
    ),
    pair: arrow.vectorFromArray(
      some((i) => [i, i + 1]),
      new arrow.FixedSizeList(2, item),
    ),
    struct: arrow.vectorFromArray(
      some((i) => ({ item: i, word: `w${i}` })),
      new arrow.Struct([item, word]),
    ),
    nothing: arrow.vectorFromArray(
      rows.map(() => null),
      new arrow.Null(),
    ),
  });
}

export const arrowTarget: FuzzTarget = {
  name: 'arrow',
  files: () => Promise.resolve([arrow.tableToIPC(table(), 'file'), arrow.tableToIPC(table(), 'stream')]),
  read(bytes) {
    const list = () => Promise.resolve([memoryFile('fuzzed.arrow', bytes)]);
    const source = new DecodedSource(
      'fuzzed',
      list,
      (file, _schema, signal) => decodeArrow(file, signal),
      {},
    );
    return Dataset.fromSource(source).takeAll();
  },
};

/** What workers answer with. */
export const batchBytesTarget: FuzzTarget = {
  name: 'batchBytes',
  files: () => Promise.resolve([arrow.tableToIPC(table(), 'stream')]),
  read: (bytes) => Promise.resolve().then(() => rowsOf(batchOfBytes(bytes), new DictionaryStrings())),
};
