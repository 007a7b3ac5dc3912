import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { fuseLayers } from '../../../../shared/neural/compile/fuseLayers.ts';
import { checkTopology } from '../../../../shared/neural/model/checkConnected.ts';
import { readCalls } from '../../../../shared/neural/model/layerCalls.ts';
import { readModel } from '../../../../shared/neural/model/readModel.ts';
import { denseNet121, mobileNetV2, resNet50, xception, type Order } from './knownNets.ts';

const { layers } = tf;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Written {
  readonly name: string;
  readonly className?: string;
  readonly config?: object;
  /** Layers that it takes, with the number of the call where that is not 0. */
  readonly takes?: readonly (string | readonly [string, number])[];
}

const reference = (one: string | readonly [string, number]): unknown[] =>
  typeof one === 'string' ? [one, 0, 0, {}] : [...one, 0, {}];

function functional(
  written: readonly Written[],
  output: string | readonly [string, number],
  inputs: readonly string[] = ['x'],
): object {
  return {
    class_name: 'Model',
    config: {
      layers: written.map(({ name, className = 'Add', config, takes = [] }) => ({
        class_name: className,
        name,
        config: { name, ...config },
        inbound_nodes: takes.length > 0 ? [takes.map(reference)] : [],
      })),
      input_layers: inputs.map((name) => [name, 0, 0]),
      output_layers: [reference(output).slice(0, 3)],
    },
  };
}
const input = (name: string): Written => ({
  name,
  className: 'InputLayer',
  config: { batch_input_shape: [null, 4] },
});

describe.each([
  ['ResNet50', resNet50, 16],
  ['MobileNetV2', mobileNetV2, 10],
  ['DenseNet121', denseNet121, 58],
  ['Xception', xception, 11],
] as const)('%s', (_name, build, merges) => {
  it.each<Order>(['skip first', 'main first'])('is read with the shapes of tfjs, %s', (order) => {
    const model = build(order);
    const read = readModel(model.toJSON(null, false));
    if (read.kind !== 'compiled') throw new Error(read.part.reason);
    const { nodes } = read.graph;
    expect(nodes.filter(({ operation }) => /^(add|concatenate)$/.test(operation.type)).length).toBe(merges);
    const shapes = new Map(nodes.map(({ name, shape }) => [name, shape]));
    for (const { name, outputShape } of model.layers)
      expect([name, shapes.get(name)]).toEqual([name, (outputShape as number[]).slice(1)]);
    for (const [at, { inputs }] of nodes.entries()) expect(Math.max(-1, ...inputs)).toBeLessThan(at);
    model.dispose();
  });
});

describe('Calls of layers', () => {
  it.each([
    ['of itself', [input('x'), { name: 'a', takes: ['x', 'a'] }], 'a'],
    ['of two', [input('x'), { name: 'a', takes: ['x', 'b'] }, { name: 'b', takes: ['a', 'x'] }], 'a'],
    [
      'behind a branch that has none',
      [
        input('x'),
        { name: 'fine', takes: ['x', 'x'] },
        { name: 'a', takes: ['fine', 'c'] },
        { name: 'b', takes: ['fine', 'a'] },
        { name: 'c', takes: ['b', 'fine'] },
        { name: 'end', takes: ['fine', 'c'] },
      ],
      'end',
    ],
  ] as const)('refuse a loop %s', (_what, written, output) => {
    expect(() => readCalls(functional(written, output))).toThrow(/form a loop/);
  });

  // tfjs would look for these for ever.
  it.each([
    [
      'whose call takes one that is never made',
      [input('x'), { name: 'aside', takes: ['x', ['end', 3]] }, { name: 'end', takes: ['x', 'x'] }],
      '"aside" waits for call 3 of "end"',
    ],
    [
      'that form a loop which no output depends on',
      [
        input('x'),
        { name: 'a', takes: ['x', 'b'] },
        { name: 'b', takes: ['a', 'x'] },
        { name: 'end', takes: ['x', 'x'] },
      ],
      'form a loop, or take what is not there: "',
    ],
    [
      'that take a layer that is not there',
      [input('x'), { name: 'aside', takes: ['x', 'gone'] }, { name: 'end', takes: ['x', 'x'] }],
      '"aside" waits for call 0 of "gone"',
    ],
    [
      'with one name for two',
      [input('x'), { name: 'end', takes: ['x', 'x'] }, { name: 'end', takes: ['x', 'x'] }],
      'two layers of a Model have the same name',
    ],
    [
      'with another name in the config than beside it',
      [input('x'), { name: 'end', takes: ['x', 'x'] }, { name: 'aside', config: { name: 'other' } }],
      'the layer "other" of a Model is named "aside" beside its config',
    ],
  ] as const)('are refused %s, though the output does not depend on it', (_what, written, message) => {
    const model = functional(written, 'end');
    for (const check of [readCalls, checkTopology]) {
      expect(() => check(model)).toThrow(message);
      expect(() => check(model)).toThrow(expect.objectContaining({ code: 'NEURAL_MODEL_INVALID' }));
    }
  });

  it('may be written without the inner list, which tfjs can not read', () => {
    const written = JSON.stringify(functional([input('x'), { name: 'end', takes: ['x', 'x'] }], 'end'));
    const flat = JSON.parse(
      written.replace('"inbound_nodes":[[["x",0,0,{}],["x",0,0,{}]]]', '"inbound_nodes":[["x",0,0,{}]]'),
    ) as object;
    expect(readCalls(flat).calls).toHaveLength(2);
    expect(() => checkTopology(flat)).toThrow(
      'inbound_nodes of layer "end" are no lists of [layer, call, output]',
    );
  });

  it('of a long chain with skips, and of a loop as long, are read in a moment', () => {
    const count = 19_000;
    const chain = (first: string): Written[] => [
      input('x'),
      ...Array.from({ length: count }, (_, at) => ({
        name: `a${at}`,
        takes: at === 0 ? ['x', first] : [`a${Math.max(0, at - 2)}`, `a${at - 1}`],
      })),
    ];
    const before = performance.now();
    const read = readModel(functional(chain('x'), `a${count - 1}`));
    expect(() => readCalls(functional(chain(`a${count - 1}`), `a${count - 1}`))).toThrow(/form a loop/);
    expect(performance.now() - before).toBeLessThan(5_000);
    if (read.kind !== 'compiled') throw new Error(read.part.reason);
    expect(fuseLayers(read.graph).length).toBe(count + 1);
  });

  it('of nested models are bounded in all, however little each of them does', () => {
    let net: object = functional([input('x')], 'x');
    const nested = (inner: object, calls: number): object => ({
      class_name: 'Model',
      config: {
        layers: [
          {
            class_name: 'InputLayer',
            name: 'x',
            config: { name: 'x', batch_input_shape: [null, 4] },
            inbound_nodes: [],
          },
          {
            ...inner,
            name: 'inner',
            inbound_nodes: Array.from({ length: calls }, (_, call) => [
              call === 0 ? ['x', 0, 0, {}] : ['inner', call, 0, {}],
            ]),
          },
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [['inner', calls, 0]],
      },
    });
    for (let depth = 0; depth < 14; depth += 1) net = nested(net, 9);
    const before = performance.now();
    expect(() => readCalls(net)).toThrow(/more than 500000 calls/);
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'of a layer named %s are as of any other',
    (name) => {
      const model = JSON.parse(
        JSON.stringify(
          functional(
            [input('x'), { name: 'other', takes: ['x', 'x'] }, { name: 'end', takes: ['x', 'other'] }],
            'end',
          ),
        ).replaceAll('"other"', JSON.stringify(name)),
      ) as object;
      const { calls, outputs } = readCalls(model);
      expect(calls.map(({ layer }) => layer.name)).toEqual(['x', name, 'end']);
      expect(calls[outputs[0]!]!.inputs).toEqual([0, 1]);
      expect(() => readCalls(functional([input('x'), { name: 'end', takes: ['x', name] }], 'end'))).toThrow(
        /is no layer/,
      );
    },
  );

  it('of nested models take what tfjs gives them, called twice and one in another', () => {
    const inner = tf.sequential({ layers: [layers.reLU({ inputShape: [4] })] });
    const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })];
    const ends = [a, b].map((one) => inner.apply(one) as tf.SymbolicTensor);
    const model = tf.model({
      inputs: [a, b],
      outputs: layers.concatenate().apply(ends) as tf.SymbolicTensor,
    });
    const { calls, inputs, outputs } = readCalls(model.toJSON(null, false));
    const relus = calls[outputs[0]!]!.inputs;
    expect(relus.map((at) => calls[at]!.inputs)).toEqual(inputs.map((at) => [at]));
    expect(calls[relus[0]!]!.layer).toBe(calls[relus[1]!]!.layer);
  });

  it('know what is called for inference alone, nested layers with it', () => {
    const model = tf
      .sequential({ layers: [layers.dropout({ rate: 0.5, inputShape: [4] })] })
      .toJSON(null, false) as unknown as { config: object };
    const written = (settings: object): object => ({
      class_name: 'Functional',
      config: {
        layers: [
          {
            class_name: 'InputLayer',
            name: 'x',
            config: { name: 'x', batch_input_shape: [null, 4] },
            inbound_nodes: [],
          },
          {
            class_name: 'Sequential',
            config: { ...model.config, name: 'inner' },
            name: 'inner',
            inbound_nodes: [[['x', 0, 0, settings]]],
          },
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [['inner', 1, 0]],
      },
    });
    expect(readCalls(written({ training: false })).calls.at(-1)).toMatchObject({
      infers: true,
      layer: { className: 'Dropout' },
    });
    expect(readCalls(written({})).calls.at(-1)).toMatchObject({ infers: false });
  });
});
