// Decides what a worker computes on. WebGPU on real hardware wins; on a software adapter the same trees come several
// times faster from the processor by itself, so there the cpu device is taken unless WebGPU was asked for by name.

import { hasSimd } from '../../kernels/wasm/compiledModule.ts';
import { deviceWishes, type DeviceWish } from '../../shared/protocol/runtimes.ts';
import type { DeviceReport } from '../../shared/protocol/control.ts';

export function isDeviceWish(text: string | null | undefined): text is DeviceWish {
  return deviceWishes.some((wish) => wish === text);
}

/** What an adapter says about itself (GPUAdapterInfo; browsers may leave fields empty). */
export interface AdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** What was found when an adapter was asked for: its facts, or why there is none. */
export type AdapterFinding = { readonly facts: AdapterFacts } | { readonly missing: string };

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** True for adapters that run on the processor. */
export function isSoftwareAdapter(facts: AdapterFacts): boolean {
  const words = `${facts.vendor} ${facts.architecture} ${facts.device} ${facts.description}`;
  return facts.isFallbackAdapter === true || softwareNames.test(words);
}

/** The adapter in words; the vendor is named by those that do not describe themselves. */
function adapterName(facts: AdapterFacts): string {
  if (facts.description !== '') return facts.description;
  return [facts.vendor, facts.architecture || facts.device].filter((part) => part !== '').join(' ') || 'GPU';
}

/** The processor in words, by the threads that compute. */
export function processorName(threads: number): string {
  if (!hasSimd()) return 'JavaScript: this engine has no WebAssembly SIMD';
  return `WebAssembly, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
}

/**
 * What the worker will report and use. `reason` is set whenever that is not WebGPU, or not what was wished for.
 * @param processor in words, see processorName.
 */
export function chooseDevice(wish: DeviceWish, finding: AdapterFinding, processor: string): DeviceReport {
  const cpu = (reason?: string): DeviceReport => ({
    kind: 'cpu',
    name: processor,
    ...(reason === undefined ? {} : { reason: reason.slice(0, 500) }),
  });
  if (wish === 'cpu') return cpu();
  if ('missing' in finding) return cpu(`No WebGPU here: ${finding.missing}.`);
  const name = adapterName(finding.facts);
  if (wish === 'auto' && isSoftwareAdapter(finding.facts)) {
    return cpu(
      `The only WebGPU adapter is a software one (${name}), which is slower than the processor by itself.`,
    );
  }
  return { kind: 'webgpu', name: name.slice(0, 200) };
}
