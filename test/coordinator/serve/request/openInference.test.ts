import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { carriers, flights, makeServedModels, oracleColumns, type ServedModels } from '../servedModels.ts';

let models: ServedModels;
const serve = new Serve();
let expected: Float32Array;
const rows = flights(200);

beforeAll(async () => {
  models = makeServedModels();
  await serve.run(deployment(models.late.checkpoint, { version: '7' }), { name: 'late', port: 0 });
  await serve.run(deployment(models.classes.checkpoint), { name: 'classes', routePrefix: '/classes' });
  expected = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length);
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

interface Answer {
  readonly id?: string;
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}

const tensor = (name: string, datatype: string, data: readonly unknown[], shape = [data.length]): object => ({
  name,
  shape,
  datatype,
  data,
});
const inputs = (count: number): object[] => [
  tensor(
    'carrier',
    'BYTES',
    rows.slice(0, count).map((row) => row.carrier),
  ),
  tensor(
    'hour',
    'INT64',
    rows.slice(0, count).map((row) => row.hour),
  ),
  tensor(
    'distance',
    'FP64',
    rows.slice(0, count).map((row) => row.distance),
    [count, 1],
  ),
];

function infer(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  model = 'late',
): Promise<Response> {
  return fetch(`${serve.url}/v2/models/${model}/infer`, { method: 'POST', body, headers });
}

/** JSON, then the tensors' bytes, as the binary extension has it. */
function binaryBody(
  header: object,
  ...tensors: Uint8Array[]
): { body: Uint8Array<ArrayBuffer>; headers: Record<string, string> } {
  const json = Buffer.from(JSON.stringify(header));
  return {
    body: new Uint8Array(Buffer.concat([json, ...tensors])),
    headers: { 'inference-header-content-length': String(json.byteLength) },
  };
}

describe('the Open Inference Protocol', () => {
  it('takes a tensor a feature, by name, and answers with one of predictions', async () => {
    for (const count of [1, 200]) {
      const response = await infer(JSON.stringify({ id: 'q-1', inputs: inputs(count) }));
      expect(await response.json()).toEqual({
        model_name: 'late',
        model_version: '7',
        id: 'q-1',
        outputs: [
          { name: 'predictions', datatype: 'FP32', shape: [count], data: [...expected.subarray(0, count)] },
        ],
      });
    }
  });

  it('takes a matrix of rows and features, flat or nested, categories by their codes', async () => {
    const matrix = rows.map((row) => [
      row.distance,
      row.hour,
      row.carrier === null ? null : carriers.indexOf(row.carrier),
    ]);
    for (const data of [matrix, matrix.flat()]) {
      const body = JSON.stringify({ inputs: [tensor('input-0', 'FP32', data, [200, 3])] });
      const { outputs } = (await (await infer(body)).json()) as Answer;
      expect(outputs[0]!.data).toEqual([...expected]);
    }
  });

  it('answers several classes as [rows, classes]', async () => {
    const body = JSON.stringify({ inputs: [tensor('x', 'FP32', [90, 10]), tensor('y', 'FP32', [1, 80])] });
    const { outputs } = (await (await infer(body, {}, 'classes')).json()) as Answer;
    expect(outputs[0]!.shape).toEqual([2, 3]);
    const columns = [Float32Array.of(90, 10), Float32Array.of(1, 80)];
    expect(outputs[0]!.data).toEqual([...models.classes.checkpoint.toPredictor().predict(columns, 2)]);
  });

  it('takes and gives binary tensors; NaN is missing', async () => {
    const columns = oracleColumns(rows);
    const matrix = Float32Array.from({ length: 600 }, (_, i) => columns[i % 3]![Math.floor(i / 3)]!);
    const header = {
      inputs: [{ name: 'm', shape: [200, 3], datatype: 'FP32', parameters: { binary_data_size: 2400 } }],
      outputs: [{ name: 'predictions', parameters: { binary_data: true } }],
    };
    const { body, headers } = binaryBody(header, new Uint8Array(matrix.buffer));
    const response = await infer(body, headers);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    const bytes = await response.arrayBuffer();
    const headerBytes = Number(response.headers.get('inference-header-content-length'));
    expect(JSON.parse(Buffer.from(bytes, 0, headerBytes).toString())).toMatchObject({
      outputs: [{ shape: [200], parameters: { binary_data_size: 800 } }],
    });
    expect(new Float32Array(bytes.slice(headerBytes))).toEqual(expected);
  });

  it('takes binary tensors of every type, text too', async () => {
    const hours = BigInt64Array.of(7n);
    const distances = Float64Array.of(500);
    const text = Buffer.from('\u0002\0\0\0DL', 'latin1');
    const { body, headers } = binaryBody(
      {
        inputs: [
          { name: 'hour', shape: [1], datatype: 'INT64', parameters: { binary_data_size: 8 } },
          { name: 'carrier', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 6 } },
          { name: 'distance', shape: [1], datatype: 'FP64', parameters: { binary_data_size: 8 } },
        ],
      },
      new Uint8Array(hours.buffer),
      text,
      new Uint8Array(distances.buffer),
    );
    const { outputs } = (await (await infer(body, headers)).json()) as Answer;
    const columns = [500, 7, 1].map((value) => Float32Array.of(value));
    expect(outputs[0]!.data).toEqual([...models.late.checkpoint.toPredictor().predict(columns, 1)]);
  });

  it('takes the bytes of a matrix without any JSON, and answers with bytes', async () => {
    const columns = oracleColumns(rows);
    const matrix = Float32Array.from({ length: 600 }, (_, i) => columns[i % 3]![Math.floor(i / 3)]!);
    const response = await infer(new Uint8Array(matrix.buffer), { 'inference-header-content-length': '0' });
    const bytes = await response.arrayBuffer();
    const headerBytes = Number(response.headers.get('inference-header-content-length'));
    expect(new Float32Array(bytes.slice(headerBytes))).toEqual(expected);
    const cut = await infer(new Uint8Array(10), { 'inference-header-content-length': '0' });
    expect([cut.status, await cut.json()]).toMatchObject([400, { code: 'SERVE_INPUT_INVALID' }]);
  });

  it('predicts from what a datatype of 16 bits holds', async () => {
    const half = [tensor('hour', 'FP16', [7.0001]), tensor('distance', 'BF16', [501]), one[0]!];
    const { outputs } = (await (await infer(JSON.stringify({ inputs: half }))).json()) as Answer;
    const code = carriers.indexOf(rows[0]!.carrier!);
    const columns = [500, 7, code].map((value) => Float32Array.of(value));
    expect(outputs[0]!.data).toEqual([...models.late.checkpoint.toPredictor().predict(columns, 1)]);
  });

  const one = inputs(1);
  const refused: readonly [string, object | string, RegExp][] = [
    ['text that is no JSON', '{', /not JSON/],
    ['no inputs', {}, /^inputs: /],
    ['an empty list of inputs', { inputs: [] }, /^inputs: /],
    ['a missing tensor', { inputs: one.slice(1) }, /no input tensor "distance"|no input tensor "carrier"/],
    ['an unknown datatype', { inputs: [tensor('hour', 'FP8', [1])] }, /datatype "FP8"; expected one of BOOL/],
    [
      'fewer elements than the shape tells',
      { inputs: [tensor('hour', 'FP32', [1, 2], [3])] },
      /has 2 elements; its shape tells 3/,
    ],
    ['a value beyond its datatype', { inputs: [tensor('hour', 'INT8', [300])] }, /is 300; INT8 holds whole/],
    ['a fraction among whole numbers', { inputs: [tensor('hour', 'INT32', [1.5])] }, /is 1\.5; INT32 holds/],
    ['two tensors of one name', { inputs: [one[0], ...one] }, /two tensors "carrier"/],
    ['no data', { inputs: [{ name: 'hour', shape: [1], datatype: 'FP32' }] }, /has no data/],
    ['a negative shape', { inputs: [tensor('hour', 'FP32', [], [-1])] }, /inputs\.0\.shape\.0/],
    [
      'a matrix of another width',
      { inputs: [tensor('m', 'FP32', [1, 2], [1, 2])] },
      /the model takes \[rows, 3\]/,
    ],
    [
      'tensors of different lengths',
      { inputs: [...one.slice(0, 2), tensor('distance', 'FP32', [1, 2])] },
      /expected \[2\]|expected \[1\]/,
    ],
    [
      'an output that is not there',
      { inputs: one, outputs: [{ name: 'x' }] },
      /no output "x", only "predictions"/,
    ],
    [
      'binary data that is not there',
      { inputs: [{ name: 'm', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } }] },
      /announces 12 bytes; 0 are left/,
    ],
  ];
  it.each(refused)('refuses %s', async (_what, body, message) => {
    const response = await infer(typeof body === 'string' ? body : JSON.stringify(body));
    expect(response.status).toBe(400);
    const { error, code } = (await response.json()) as { error: string; code: string };
    expect(error).toMatch(message);
    expect(code).toMatch(/^(SERVE_INPUT_INVALID|BAD_REQUEST)$/);
  });

  it('refuses binary bodies that contradict their header', async () => {
    const input = { name: 'm', shape: [1, 3], datatype: 'FP32', parameters: { binary_data_size: 12 } };
    const over = binaryBody({ inputs: [input] }, new Uint8Array(16));
    expect(await (await infer(over.body, over.headers)).json()).toMatchObject({
      error: expect.stringMatching(/4 bytes follow/) as string,
    });
    const wrong = binaryBody({ inputs: [{ ...input, shape: [2, 3] }] }, new Uint8Array(12));
    expect(await (await infer(wrong.body, wrong.headers)).json()).toMatchObject({
      error: expect.stringMatching(/12 bytes; 6 elements of FP32 are 24/) as string,
    });
    for (const length of ['1000000', '-1', 'x']) {
      expect((await infer(over.body, { 'inference-header-content-length': length })).status).toBe(400);
    }
    const text = binaryBody(
      { inputs: [{ name: 'carrier', shape: [1], datatype: 'BYTES', parameters: { binary_data_size: 6 } }] },
      Buffer.from('\u00ff\0\0\0AA', 'latin1'),
    );
    expect(await (await infer(text.body, text.headers)).json()).toMatchObject({
      error: expect.stringMatching(/don't make up 1 elements of BYTES/) as string,
    });
  });
});
