// The tree device of the processor: WebAssembly where the engine has it with SIMD, else plain JavaScript. Same trees.

import { hasSimd } from '../../wasm/compiledModule.ts';
import type { ThreadChoice } from '../../wasm/wasmRuntime.ts';
import type { DeviceSpec, TreeDevice } from '../treeDevice.ts';
import { createCpuTreeDevice } from './cpuDevice.ts';
import { joinTreeDevices } from './joinedDevice.ts';
import { createWasmTreeDevice } from './wasmDevice.ts';

export async function openCpuTreeDevice(spec: DeviceSpec, choice: ThreadChoice): Promise<TreeDevice> {
  return hasSimd() ? joinTreeDevices(() => createWasmTreeDevice(spec, choice)) : createCpuTreeDevice(spec);
}
