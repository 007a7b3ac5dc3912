// Puts WebGPU where libraries made for browsers look for it, in runtimes that have no navigator.gpu of their own.

/** Can be called any number of times; the last one counts. */
export function exposeGpu(gpu: GPU): void {
  const globals = globalThis as unknown as { navigator?: object };
  // Node 20 has no navigator. This one is also what PeerJS needs.
  globals.navigator ??= { userAgent: 'node', platform: '' };
  Object.defineProperty(globals.navigator, 'gpu', { value: gpu, configurable: true });
}
