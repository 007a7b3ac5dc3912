// WebGPU for tests in Node: Dawn on SwiftShader, both from npm packages, so the suite needs no driver on the machine.

import koffi, { type LibraryHandle } from 'koffi';
import { unpackChromium } from '../../coordinator/cluster/local/chromium.ts';
import { exposeGpu } from '../../client/runtime/acquireDevice.node.ts';

/** Held: koffi unloads a library that is collected, and Dawn would find none. */
let vulkan: LibraryHandle | undefined;

/** Makes SwiftShader the driver that Dawn will find in this process; answers with its manifest. */
export async function prepareSoftwareDriver(): Promise<string> {
  const { libraryPath, swiftshaderIcd } = await unpackChromium();
  process.env['VK_ICD_FILENAMES'] = swiftshaderIcd;
  // Dawn opens libvulkan by name. On a machine without one, the copy beside SwiftShader is found because it is already
  // loaded: LD_LIBRARY_PATH would have to be set before this process started.
  vulkan ??= koffi.load(`${libraryPath}/libvulkan.so.1`);
  return swiftshaderIcd;
}

/** A fresh software GPU adapter. Throws when there is none: these tests never skip. */
export async function openNodeGpuAdapter(): Promise<GPUAdapter> {
  const swiftshaderIcd = await prepareSoftwareDriver();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  exposeGpu(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error(`No WebGPU adapter in Node with the driver ${swiftshaderIcd}.`);
  keepAlive.set(adapter, gpu);
  return adapter;
}

/** A fresh software GPU device, as above. */
export async function openNodeGpuDevice(): Promise<GPUDevice> {
  const adapter = await openNodeGpuAdapter();
  const device = await adapter.requestDevice();
  keepAlive.set(device, adapter);
  return device;
}

/** Dawn's instance must outlive its adapters and devices. */
const keepAlive = new WeakMap<GPUAdapter | GPUDevice, GPU | GPUAdapter>();
