import { expect, it } from 'vitest';
import { fallbackNotice } from '../../../../client/neural/tfjs/fallbackNotice.ts';

it('names each layer that forced it, and what it costs', () => {
  const layers = [
    { name: 'lstm_1', reason: 'LSTM' },
    { name: 'conv_2', reason: 'Conv2D with dataFormat channelsFirst' },
  ];
  expect(fallbackNotice(layers, 'cpu')).toBe(
    'The compiled engine does not know layers lstm_1 (LSTM), conv_2 (Conv2D with dataFormat channelsFirst), so the whole ' +
      'model runs by tfjs in plain JavaScript. Steps take several times longer, gradients are read back and weights ' +
      'written anew at each, and there is no syncBatchNorm and no profile. docs/neural.md lists the layers that are compiled.',
  );
  expect(fallbackNotice(layers.slice(0, 1), 'webgpu')).toMatch(/layer lstm_1 \(LSTM\), so .* tfjs on WebGPU/);
});
