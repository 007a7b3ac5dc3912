import { openNodeGpuDevice } from '../../../setup/nodeGpu.ts';
import { playerOn } from './opPlayer.ts';
import { opSuite } from './opSuite.ts';

// Whole nets are compared in test/shared/neural there.
opSuite(
  'ops in Node',
  async () => {
    const device = await openNodeGpuDevice();
    return {
      play: playerOn(device),
      close: () => {
        device.destroy();
        return Promise.resolve();
      },
    };
  },
  0,
  1,
);
