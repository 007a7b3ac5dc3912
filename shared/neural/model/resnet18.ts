// ResNet-18 (He et al. 2016, torchvision's layout) as a topology that tfjs, Keras and this package read.

import { NeuralModelError } from '../graph/modelErrors.ts';
import { unknownKey } from '../../text/nearestWord.ts';

/** Size of the images and number of classes of a ResNet-18. */
export interface ResNet18Options {
  /** "7x7": stride 2 and max-pooling, as for ImageNet and in Ray's lesson. "3x3": stride 1, for small images. */
  readonly stem?: '3x3' | '7x7';
  readonly classes?: number;
  /** Height, width and channels. */
  readonly inputShape?: readonly [number, number, number];
}

type Layer = Record<string, unknown>;

const known = ['stem', 'classes', 'inputShape'] as const satisfies readonly (keyof ResNet18Options)[];

function checkOptions(options: ResNet18Options): void {
  const fail = (field: string, problem: string): never => {
    throw new NeuralModelError(`resnet18: ${field} ${problem}`, { field });
  };
  const unknown = unknownKey(options, known);
  if (unknown) fail(unknown.key, unknown.problem);
  const { stem = '7x7', classes = 10, inputShape = [28, 28, 1] } = options;
  if (!['3x3', '7x7'].includes(stem)) fail('stem', `is ${JSON.stringify(stem)}; expected 3x3 or 7x7`);
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 1;
  if (!isCount(classes)) fail('classes', `is ${String(classes)}; expected a whole number from 1`);
  if (!Array.isArray(inputShape) || inputShape.length !== 3 || !inputShape.every(isCount))
    fail('inputShape', `is ${JSON.stringify(inputShape)}; expected height, width and channels`);
}

/**
 * 11,175,370 parameters with ten classes, one channel and the 7x7 stem; 11,172,810 with the 3x3 one.
 * @throws NeuralModelError naming an option that is none.
 */
export function resnet18(options: ResNet18Options = {}): object {
  const { stem = '7x7', classes = 10, inputShape = [28, 28, 1] } = options;
  checkOptions(options);
  const layers: Layer[] = [];
  const add = (className: string, name: string, config: object, inputs: readonly string[]): string => {
    const calls = inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])];
    layers.push({ class_name: className, name, config: { name, ...config }, inbound_nodes: calls });
    return name;
  };
  const conv = (name: string, input: string, filters: number, size: number, stride: number): string => {
    // PyTorch pads both sides alike, which "same" does not where the stride is 2.
    const border = Math.floor(size / 2);
    const padded =
      border === 0
        ? input
        : add(
            'ZeroPadding2D',
            `${name}_pad`,
            {
              padding: [
                [border, border],
                [border, border],
              ],
              data_format: 'channels_last',
            },
            [input],
          );
    return add(
      'Conv2D',
      name,
      {
        filters,
        kernel_size: [size, size],
        strides: [stride, stride],
        padding: 'valid',
        data_format: 'channels_last',
        dilation_rate: [1, 1],
        use_bias: false,
        activation: 'linear',
        kernel_initializer: {
          class_name: 'VarianceScaling',
          config: { scale: 2, mode: 'fan_out', distribution: 'normal', seed: null },
        },
      },
      [padded],
    );
  };
  // PyTorch's momentum of 0.1 is 0.9 here.
  const norm = (name: string, input: string): string =>
    add('BatchNormalization', name, { axis: -1, momentum: 0.9, epsilon: 1e-5 }, [input]);
  const relu = (name: string, input: string): string =>
    add('Activation', name, { activation: 'relu' }, [input]);
  const block = (name: string, input: string, filters: number, stride: number, widens: boolean): string => {
    const first = relu(
      `${name}_relu1`,
      norm(`${name}_bn1`, conv(`${name}_conv1`, input, filters, 3, stride)),
    );
    const second = norm(`${name}_bn2`, conv(`${name}_conv2`, first, filters, 3, 1));
    const shortcut = widens ? norm(`${name}_bn0`, conv(`${name}_conv0`, input, filters, 1, stride)) : input;
    return relu(`${name}_relu2`, add('Add', `${name}_add`, {}, [second, shortcut]));
  };

  let node = add(
    'InputLayer',
    'image',
    { batch_input_shape: [null, ...inputShape], dtype: 'float32', sparse: false },
    [],
  );
  node = stem === '7x7' ? conv('stem_conv', node, 64, 7, 2) : conv('stem_conv', node, 64, 3, 1);
  node = relu('stem_relu', norm('stem_bn', node));
  if (stem === '7x7') {
    // Zeros do not win against what a ReLU gives.
    node = add(
      'ZeroPadding2D',
      'stem_pool_pad',
      {
        padding: [
          [1, 1],
          [1, 1],
        ],
        data_format: 'channels_last',
      },
      [node],
    );
    node = add(
      'MaxPooling2D',
      'stem_pool',
      { pool_size: [3, 3], strides: [2, 2], padding: 'valid', data_format: 'channels_last' },
      [node],
    );
  }
  for (const [stage, filters] of [64, 128, 256, 512].entries()) {
    const name = `stage${stage + 1}`;
    node = block(`${name}_block1`, node, filters, stage === 0 ? 1 : 2, stage > 0);
    node = block(`${name}_block2`, node, filters, 1, false);
  }
  node = add('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last' }, [node]);
  node = add(
    'Dense',
    'logits',
    {
      units: classes,
      activation: 'linear',
      use_bias: true,
      kernel_initializer: {
        class_name: 'VarianceScaling',
        config: { scale: 1 / 3, mode: 'fan_in', distribution: 'uniform', seed: null },
      },
    },
    [node],
  );
  return {
    class_name: 'Model',
    config: {
      name: 'resnet18',
      layers,
      input_layers: [['image', 0, 0]],
      output_layers: [[node, 0, 0]],
    },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}
