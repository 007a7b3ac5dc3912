import { fileURLToPath } from 'node:url';
import { bundleForRuntime } from '../../setup/bundleForRuntime.ts';
import { openSoftwareGpuPage } from '../../setup/softwareGpuPage.ts';
import type { Transcript } from './playScenario.ts';
import type { Scenario } from './scenarios.ts';
import { treeDeviceContract } from './treeDevice.contract.ts';

interface PlayerPage {
  openPlayer: () => Promise<(scenario: Scenario) => Promise<Transcript>>;
  player?: Promise<(scenario: Scenario) => Promise<Transcript>>;
}

treeDeviceContract('webgpu in a Chromium tab', async () => {
  const content = await bundleForRuntime(
    fileURLToPath(import.meta.resolve('./scenarioPlayer.browser.ts')),
    'iife',
  );
  const { page, close } = await openSoftwareGpuPage();
  await page.addScriptTag({ content });
  return {
    play: (scenario) =>
      page.evaluate(async (given) => {
        const here = globalThis as unknown as PlayerPage;
        here.player ??= here.openPlayer();
        return (await here.player)(given);
      }, scenario),
    close,
  };
});
