// Split search for devices that have none of their own: it takes doubles, which GPUs have not, so the processor does it.

import { treesModule } from '../../wasm/built/trees.ts';
import { hasSimd } from '../../wasm/compiledModule.ts';
import type { ThreadChoice } from '../../wasm/wasmRuntime.ts';
import { WasmRuntime } from '../../wasm/wasmRuntime.ts';
import type { TreeDevice } from '../treeDevice.ts';
import { WasmSplitSearch } from './wasmSplitSearch.ts';

/** The same device, whose splits are searched by the processor's threads; closing it ends them. */
export async function withSplitSearch(device: TreeDevice, choice: ThreadChoice): Promise<TreeDevice> {
  if (!hasSimd()) return device;
  const runtime = await WasmRuntime.open(treesModule, choice);
  const closeDevice = device.close.bind(device);
  const close = async (): Promise<void> => {
    runtime.close();
    await closeDevice();
  };
  return Object.assign(device, { splitSearch: new WasmSplitSearch(runtime), close });
}
