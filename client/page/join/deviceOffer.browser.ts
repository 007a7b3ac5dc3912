// What this browser can lend, said before anything is asked for.

import type { DeviceWish } from '../../../shared/protocol/runtimes.ts';
import { chooseDevice, isSoftwareAdapter, processorName } from '../../runtime/deviceChoice.ts';
import { en } from '../words/en.ts';

export interface DeviceOffer {
  /** What is lent, as the beginning of a sentence. */
  readonly words: string;
  /** What to do about a missing GPU; undefined where there is one. */
  readonly advice: string | undefined;
}

export const unknownOffer: DeviceOffer = { words: en.device.looking, advice: undefined };

/** Looks for an adapter, as the compute thread will. */
export async function lookForDevice(wish: DeviceWish): Promise<DeviceOffer> {
  if (wish === 'cpu') return { words: en.device.processor, advice: undefined };
  const gpu = navigator.gpu as GPU | undefined;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { words: en.device.none, advice: adviceFor(navigator.userAgent, isSecureContext) };
  const facts = adapter.info;
  const choice = chooseDevice(wish, { facts }, processorName(navigator.hardwareConcurrency));
  if (choice.kind === 'webgpu') return { words: en.device.gpu(choice.name), advice: undefined };
  return { words: isSoftwareAdapter(facts) ? en.device.software : en.device.processor, advice: undefined };
}

/** What helps in this browser. @param userAgent as the browser names itself. */
export function adviceFor(userAgent: string, isSecure: boolean): string {
  const { noWebGpu } = en;
  if (!isSecure) return noWebGpu.insecure;
  if (/Firefox\//.test(userAgent)) return noWebGpu.firefox;
  if (/Chrom(e|ium)\//.test(userAgent)) return noWebGpu.chromium;
  if (/Safari\//.test(userAgent)) return noWebGpu.safari;
  return noWebGpu.other;
}
