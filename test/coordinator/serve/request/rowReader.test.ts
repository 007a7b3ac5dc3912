import { describe, expect, it } from 'vitest';
import { readInstances, readRecords, readRows } from '../../../../coordinator/serve/request/readRows.ts';
import { RowReader } from '../../../../coordinator/serve/request/rows/rowReader.ts';
import { bodyText } from '../../../../coordinator/http/bodyText.ts';
import type { FeatureRows } from '../../../../coordinator/serve/request/readRows.ts';
import type { ModelFeature } from '../../../../shared/gbdt/model/modelFeatures.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const names = ['AA', 'DL', '', 'Zürich', 'a "b"\\c', '東京', '\u{1f600}', '\ud800', '\ufffd', 'tab\t', 'AAA'];

function feature(name: string, categories?: readonly (string | number)[]): ModelFeature {
  const codes = categories && new Map(categories.map((category, code) => [category, code]));
  return {
    name,
    codes,
    isCategorical: codes !== undefined,
    hasNumberNames: typeof categories?.[0] === 'number',
  };
}

const features: readonly ModelFeature[] = [
  feature('distance'),
  feature('carrier', names),
  feature('gate', [3, -0.5, 1e300, 0]),
  feature('constructor'),
  feature('größe "x"'),
];

/** What readRows makes of a body; undefined where it refuses it. */
function general(body: Buffer, read: (text: string) => FeatureRows): FeatureRows | undefined {
  try {
    return read(bodyText(body));
  } catch {
    return undefined;
  }
}

const rowsOf = (text: string): FeatureRows => readRows(text, features);
const instancesOf = (text: string): FeatureRows =>
  readRecords(readInstances(text, features.length), features, 'records');

/** Both ways agree on a body, unless the reader leaves it to readRows. @returns whether the reader took it. */
function agree(reader: RowReader, body: Buffer): boolean {
  const read = reader.read(body);
  if (read) expect(read, body.toString()).toEqual(general(body, rowsOf));
  const text = body.toString();
  if (Buffer.from(text).equals(body)) {
    const ofText = reader.read(text);
    expect(ofText !== undefined).toBe(read !== undefined);
    if (ofText) expect(ofText, text).toEqual(general(body, rowsOf));
  }
  const instances = reader.readInstances(body);
  if (instances) expect(instances, body.toString()).toEqual(general(body, instancesOf));
  return (read ?? instances) !== undefined;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const record = (distance: unknown, carrier: unknown = 'DL', gate: unknown = 3): Record<string, unknown> => ({
  distance,
  carrier,
  gate,
  constructor: 1.5,
  'größe "x"': true,
});

/** Bodies as clients write them, and what may stand in them. */
const usual: readonly (readonly [string, Buffer])[] = [
  ['records', json([record(1), record(-2.25), record(null, null, null), record(false, 'nowhere', 7)])],
  ['no records', json([])],
  ['one record', json(record(480))],
  [
    'columns',
    json({
      distance: [1, 2],
      carrier: ['AA', null],
      gate: [3, 0],
      constructor: [0, -0.1],
      'größe "x"': [true, 1e3],
    }),
  ],
  ['columns without rows', json({ distance: [], carrier: [], gate: [], constructor: [], 'größe "x"': [] })],
  [
    'arrays of values',
    json([
      [1, 'DL', 3, 4, 5],
      [null, '東京', -0.5, 1e-9, 0],
    ]),
  ],
  ['rows of both kinds', json([[1, 'DL', 3, 4, 5], record(9)])],
  ['white space', Buffer.from(` \n${JSON.stringify([record(1), record(2)], null, '\t')}\r\n`)],
  [
    'spaces as Python writes them',
    Buffer.from(JSON.stringify([record(1), record(2)]).replaceAll(/([,:])/g, '$1 ')),
  ],
  ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json([record(1)])])],
  ['JSON in a JSON string', json(JSON.stringify([record(1), record(2, 'Zürich')]))],
  ['instances', json({ instances: [record(1), [1, 'DL', 3, 4, 5]] })],
  ['no instances', json({ instances: [] })],
  ['all categories', json(names.map((name) => record(1, name)))],
  [
    'categories in escapes',
    Buffer.from(
      JSON.stringify(names.map((name) => record(1, name))).replaceAll(
        /[^\x20-\x7e]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    ),
  ],
  [
    'keys in escapes',
    Buffer.from(JSON.stringify([record(1), record(2)]).replaceAll('distance', 'd\\u0069stance')),
  ],
  [
    'fields in another order',
    json([record(1), Object.fromEntries(Object.entries(record(2)).reverse()), record(3)]),
  ],
  [
    'fields that the model does not know',
    Buffer.from(
      JSON.stringify([
        { id: 'x"\\', ...record(1), note: null, at: '@' },
        { n: -0, ...record(2) },
      ]).replace('"@"', '1e400'),
    ),
  ],
  [
    'columns that the model does not know',
    json({
      id: ['a', 1, null],
      distance: [1, 2, 3],
      carrier: ['AA', null, 'x'],
      gate: [3, 0, 1],
      constructor: [0, -0.1, 2],
      'größe "x"': [true, 1e3, 4],
    }),
  ],
  [
    'a key twice, of which the last counts',
    Buffer.from(JSON.stringify([record(1)]).replace('{', '{"distance":77,')),
  ],
  ['a minus before zero', Buffer.from(JSON.stringify([record(1)]).replace(':1,', ':-0,'))],
  [
    'the largest and smallest float32',
    json([record(3.4028234663852886e38), record(-1e-46), record(1.4e-45)]),
  ],
  ['300 rows', json(Array.from({ length: 300 }, (_, i) => record(i / 7, names[i % 7], i % 4)))],
];

const oddValues: readonly string[] = [
  '1e400',
  '-1e400',
  '3.5e38',
  '"1"',
  '[1]',
  '{}',
  'NaN',
  'Infinity',
  '01',
  '1.',
  'tru',
  'nul',
  'truex',
  '',
  '0x1',
  '-',
  '1e',
  "'1'",
  '1 1',
  '"\\u12"',
  '"a\nb"',
];

const odd: readonly string[] = [
  '',
  ' ',
  'null',
  '1',
  '"',
  '""',
  '"[]"x',
  '{}',
  '[{}]',
  '[1]',
  '[[]]',
  '[[1]]',
  '[,]',
  '[]]',
  '{"instances":1}',
  '{"instances":[]',
  '{"instances":[]}}',
  '{"instances":[],"x":1}',
  ...oddValues.flatMap((value) => [
    JSON.stringify([record('@')]).replace('"@"', value),
    JSON.stringify([record(1, '@')]).replace('"@"', value),
    JSON.stringify([record(1, 'AA', '@')]).replace('"@"', value),
    JSON.stringify({ ...record(1), other: '@' }).replace('"@"', value),
  ]),
  JSON.stringify([record(1)]).replace('distance', 'distanc'),
  JSON.stringify([record(1)]).replace('distance', 'toString'),
  JSON.stringify([record(1)]).replace('distance', '\\x'),
  JSON.stringify([{ ...record(1), nested: { a: [1, { b: 2 }] } }]),
  JSON.stringify({ ...record(1), distance: [1] }),
  JSON.stringify({
    distance: [1, 2],
    carrier: ['AA'],
    gate: [3, 3],
    constructor: [1, 1],
    'größe "x"': [1, 1],
  }),
  `${JSON.stringify([record(1)])},`,
  `[${JSON.stringify(record(1))},]`,
  JSON.stringify(JSON.stringify(JSON.stringify([record(1)]))),
  JSON.stringify(JSON.stringify([record(1, '\\ud800')])),
];

describe('rows that are read from their bytes', () => {
  it.each(usual)('are the same as those that were parsed: %s', (_, body) => {
    const reader = RowReader.of(features)!;
    expect(agree(reader, body)).toBe(true);
    // The order of keys is remembered.
    expect(agree(reader, body)).toBe(true);
  });

  it.each(odd)('are never other ones than those that were parsed: %s', (body) => {
    agree(RowReader.of(features)!, Buffer.from(body));
  });

  it('are the same after any damage to the body, or left to be parsed', () => {
    const random = seededRandom(34);
    const below = (count: number): number => Math.floor(random() * count);
    const reader = RowReader.of(features)!;
    const pieces = [
      '"',
      '\\',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '0',
      '-',
      '.',
      'e',
      'null',
      '\\u0041',
      '\u00e9',
      '\n',
    ];
    let taken = 0;
    for (let i = 0; i < 10_000; i++) {
      const [, body] = usual[below(usual.length - 1)]!;
      const at = below(body.length);
      const piece = below(3) === 0 ? Buffer.of(below(256)) : Buffer.from(pieces[below(pieces.length)]!);
      const behind = at + [0, 1, below(12)][below(3)]!;
      taken += Number(agree(reader, Buffer.concat([body.subarray(0, at), piece, body.subarray(behind)])));
    }
    expect(taken).toBeGreaterThan(300);
  });

  it('are good until the next call, and of as many rows as there are', () => {
    const reader = RowReader.of([feature('x')])!;
    const many = reader.read(json(Array.from({ length: 1_000 }, (_, x) => ({ x }))))!;
    expect(many.rows).toBe(1_000);
    expect(many.columns[0]).toEqual(Float32Array.from({ length: 1_000 }, (_, x) => x));
    expect(reader.read(json([{ x: 5 }]))!.columns).toEqual([Float32Array.of(5)]);
  });

  it('of a model with two features of one name, or none, are left to be parsed', () => {
    expect(RowReader.of([feature('x'), feature('x')])).toBeUndefined();
    expect(RowReader.of([])).toBeUndefined();
  });
});
