import { createCpuTreeDevice } from '../../../kernels/gbdt/cpuDevice.ts';
import { playScenario } from './playScenario.ts';
import { specOf } from './scenarios.ts';
import { treeDeviceContract } from './treeDevice.contract.ts';

treeDeviceContract('the cpu device', async () => ({
  async play(scenario) {
    const device = createCpuTreeDevice(specOf(scenario));
    try {
      return await playScenario(device, scenario);
    } finally {
      await device.close();
    }
  },
  async close() {},
}));
