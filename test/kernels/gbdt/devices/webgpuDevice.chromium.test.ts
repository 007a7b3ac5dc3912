import { fileURLToPath } from 'node:url';
import { openChromiumPlayer } from '../../../setup/runtimePlayer.ts';
import { treeDeviceContract } from '../treeDevice.contract.ts';

treeDeviceContract('webgpu in a Chromium tab', () =>
  openChromiumPlayer(fileURLToPath(import.meta.resolve('../scenarioPlayer.browser.ts'))),
);
