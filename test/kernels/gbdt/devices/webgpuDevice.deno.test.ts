import { fileURLToPath } from 'node:url';
import { openDenoPlayer } from '../../../setup/runtimePlayer.ts';
import { treeDeviceContract } from '../treeDevice.contract.ts';

treeDeviceContract('webgpu in Deno', () =>
  openDenoPlayer(fileURLToPath(import.meta.resolve('../scenarioPlayer.deno.ts'))),
);
