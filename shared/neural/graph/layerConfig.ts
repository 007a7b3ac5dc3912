// A layer's config as Keras and tfjs write it: JSON of unknown origin, read field by field, with the layer's name in
// every complaint.

import type { Padding, Pair } from '../layerGraph.ts';
import { activationByName, type ActivationConfig } from './activations.ts';
import { NeuralModelError, UnsupportedLayer } from './modelErrors.ts';
import { readInitializer, type Initializer } from './initializer.ts';
import { isRecord } from '../../memberOf.ts';

/** More than any sensible layer has; bounds what a hostile file can ask for. */
const MAX_DIMENSION = 2 ** 31 - 1;

export class LayerConfig {
  readonly className: string;
  readonly name: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(className: string, values: unknown, fallbackName = className) {
    if (!isRecord(values)) {
      throw new NeuralModelError(`${className} "${fallbackName}": config is no object`);
    }
    this.className = className;
    this.#values = values;
    const name = this.#values['name'];
    this.name = typeof name === 'string' && name !== '' ? name.slice(0, 512) : fallbackName;
  }

  /** Without what has a meaning in training alone. */
  forPredictions(): LayerConfig {
    const kept = Object.entries(this.#values).filter(
      ([field]) => !/_(constraint|regularizer)$/.test(field) && field !== 'noise_shape',
    );
    const inner = this.layer('layer')?.forPredictions();
    const wrapped = inner && { layer: { class_name: inner.className, config: inner.#values } };
    return new LayerConfig(this.className, { ...Object.fromEntries(kept), ...wrapped }, this.name);
  }

  /** The layer within this one, with the name of this one, which its weights have, and frozen where either is. */
  wrapped(field: string): LayerConfig | undefined {
    const inner = this.layer(field);
    if (inner === undefined) return undefined;
    const trainable = this.flag('trainable', true) && inner.flag('trainable', true);
    return new LayerConfig(inner.className, { ...inner.#values, name: this.name, trainable });
  }

  raw(field: string): unknown {
    return this.#values[field];
  }

  /** A layer within this one, as wrappers have it; undefined where there is none. */
  layer(field: string): LayerConfig | undefined {
    const value = this.#values[field];
    if (typeof value !== 'object' || value === null) return undefined;
    const { class_name: className, config } = value as { class_name?: unknown; config?: unknown };
    const isLayer = typeof className === 'string' && typeof config === 'object' && config !== null;
    return isLayer && !Array.isArray(config) ? new LayerConfig(className, config) : undefined;
  }

  flag(field: string, fallback: boolean): boolean {
    const value = this.#values[field] ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(field, value, 'true or false');
  }

  number(field: string, fallback?: number): number {
    const value = this.#values[field] ?? fallback;
    return typeof value === 'number' && Number.isFinite(value)
      ? value
      : this.refuse(field, value, 'a number');
  }

  /** A whole number from 1. */
  count(field: string, fallback?: number): number {
    const value = this.#values[field] ?? fallback;
    return isCount(value) ? value : this.refuse(field, value, 'a whole number from 1');
  }

  text<T extends string>(field: string, known: readonly T[], fallback?: T): T {
    const value = this.#values[field] ?? fallback;
    const found = known.find((one) => one === value);
    return found ?? this.refuse(field, value, `one of ${known.join(', ')}`);
  }

  /** One number for both dimensions, or two. */
  pair(field: string, fallback?: Pair): Pair {
    const value = this.#values[field] ?? fallback;
    if (isCount(value)) return [value, value];
    if (Array.isArray(value) && value.length === 2) {
      const [first, second]: unknown[] = value;
      if (isCount(first) && isCount(second)) return [first, second];
    }
    return this.refuse(field, value, 'a whole number from 1, or two of them');
  }

  /** One number, or a list of it: what sequences have in place of a pair. */
  single(field: string, fallback?: number): number {
    const value = this.#values[field] ?? fallback;
    const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return isCount(one) ? one : this.refuse(field, value, 'a whole number from 1');
  }

  /** A shape with the batch's place first, as `batch_input_shape` has it. */
  batchShape(field: string): number[] | undefined {
    const value = this.#values[field];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value) || value.length < 1 || value.length > 8) {
      return this.refuse(field, value, 'a list that begins with null');
    }
    const shape: unknown[] = value.slice(1);
    if (shape.some((dimension) => dimension === null || dimension === undefined)) {
      throw this.unsupported(`${field} leaves a dimension beside the batch open`);
    }
    return shape.every(isCount) ? shape : this.refuse(field, value, 'whole numbers from 1 behind null');
  }

  /** Fields that the compiled engine does not compute; absent or null is fine. */
  refuseSet(...fields: readonly string[]): void {
    const set = fields.find((field) => (this.#values[field] ?? null) !== null);
    if (set !== undefined) throw this.unsupported(`it has a ${set}`);
  }

  requireChannelsLast(): void {
    const format = this.#values['data_format'] ?? 'channels_last';
    if (format !== 'channels_last') throw this.unsupported(`data_format is ${JSON.stringify(format)}`);
  }

  initializer(field: string, fallback: Initializer): Initializer {
    const value = this.#values[field];
    if (value === undefined || value === null) return fallback;
    return readInitializer(value) ?? this.refuse(field, value, 'an initializer that is known here');
  }

  /** `l1` and `l2` of a regularizer. */
  penalty(field: string): { readonly l1?: number; readonly l2?: number } {
    const value = this.#values[field];
    if (value === undefined || value === null) return {};
    const { class_name: className, config } = value as { class_name?: unknown; config?: unknown };
    if (!['L1L2', 'L1', 'L2'].includes(String(className)))
      throw this.unsupported(`${field} is no L1 or L2 penalty`);
    const inner = new LayerConfig(String(className), config ?? {}, `${this.name}/${field}`);
    const l1 = inner.number('l1', 0);
    const l2 = inner.number('l2', 0);
    return { ...(l1 !== 0 && { l1 }), ...(l2 !== 0 && { l2 }) };
  }

  /** The `activation:` option; undefined for none. */
  activation(field = 'activation'): ActivationConfig | undefined {
    const value = this.#values[field];
    const name = plainActivation(value);
    if (name === 'linear') return undefined;
    const known = activationByName(name);
    if (known) return known.config;
    throw this.unsupported(`the activation ${JSON.stringify(value)?.slice(0, 80)} is not compiled`);
  }

  unsupported(reason: string): UnsupportedLayer {
    return new UnsupportedLayer(this.name, this.className, reason);
  }

  refuse(field: string, value: unknown, expected: string): never {
    throw new NeuralModelError(
      `${this.className} "${this.name}": ${field} is ${JSON.stringify(value)?.slice(0, 80) ?? 'missing'}; expected ${expected}`,
      { field: `${this.name}.${field}` },
    );
  }
}

/** An activation's name as it is compared: without underscores and capitals, which writers use as they like. */
export function plainActivation(value: unknown): string {
  const name =
    typeof value === 'object' && value !== null ? (value as { class_name?: unknown }).class_name : value;
  return typeof (name ?? 'linear') === 'string'
    ? ((name ?? 'linear') as string).toLowerCase().replaceAll('_', '')
    : '';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_DIMENSION;
}

/** Zeros around an image for "same" (as many as keep ceil(size / stride), the odd one behind) or "valid". */
export function paddingOf(
  kind: 'same' | 'valid',
  [height, width]: Pair,
  window: Pair,
  strides: Pair,
  dilations: Pair = [1, 1],
): Padding {
  if (kind === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 };
  const along = (size: number, kernel: number, stride: number, dilation: number): [number, number] => {
    const reach = (kernel - 1) * dilation + 1;
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const [top, bottom] = along(height, window[0], strides[0], dilations[0]);
  const [left, right] = along(width, window[1], strides[1], dilations[1]);
  return { top, bottom, left, right };
}

/** Height and width after a window has passed; undefined when the window does not fit once. */
export function windowOutput(
  [height, width]: Pair,
  window: Pair,
  strides: Pair,
  { top, bottom, left, right }: Padding,
  dilations: Pair = [1, 1],
): Pair | undefined {
  const along = (size: number, kernel: number, stride: number, dilation: number): number =>
    Math.floor((size - ((kernel - 1) * dilation + 1)) / stride) + 1;
  const outHeight = along(height + top + bottom, window[0], strides[0], dilations[0]);
  const outWidth = along(width + left + right, window[1], strides[1], dilations[1]);
  return outHeight >= 1 && outWidth >= 1 ? [outHeight, outWidth] : undefined;
}
