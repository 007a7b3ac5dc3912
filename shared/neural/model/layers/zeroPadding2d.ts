// Zeros around an image.

import type { Padding } from '../../layerGraph.ts';
import { single, type LayerReader } from '../layerReader.ts';

export const zeroPadding2d: LayerReader = {
  classNames: ['ZeroPadding2D'],
  inputs: 'one',
  read(config, inputs, graph) {
    config.requireChannelsLast();
    const input = single(inputs);
    const { size, channels } = graph.image(config, input);
    const padding = readPadding(config.raw('padding') ?? 1);
    if (!padding) return config.refuse('padding', config.raw('padding'), 'a number, two, or two pairs');
    const { top, bottom, left, right } = padding;
    const shape = [size[0] + top + bottom, size[1] + left + right, channels];
    return graph.add(config, { type: 'zeroPad2d', padding }, [input], shape);
  },
};

function readPadding(value: unknown): Padding | undefined {
  const [rows, columns]: unknown[] = Array.isArray(value) ? value : [value, value];
  const vertical: unknown[] = Array.isArray(rows) ? rows : [rows, rows];
  const horizontal: unknown[] = Array.isArray(columns) ? columns : [columns, columns];
  const all = [...vertical, ...horizontal];
  const fits = (one: unknown): one is number => Number.isInteger(one) && (one as number) >= 0;
  if (all.length !== 4 || !all.every(fits)) return undefined;
  return { top: all[0]!, bottom: all[1]!, left: all[2]!, right: all[3]! };
}
