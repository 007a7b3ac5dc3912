import type { AdapterFinding } from '../../../client/runtime/deviceChoice.ts';
import type { DeviceReport } from '../../../shared/protocol/control.ts';
import type { DeviceWish } from '../../../shared/protocol/runtimes.ts';
import { describe, expect, test } from 'vitest';
import { chooseDevice, isSoftwareAdapter, processorName } from '../../../client/runtime/deviceChoice.ts';

const m4 = { vendor: 'apple', architecture: 'metal-3', device: '', description: '' };
// As Chromium, Dawn in Node, and Deno name SwiftShader and llvmpipe.
const software = [
  { vendor: 'google', architecture: 'swiftshader', device: '', description: '', isFallbackAdapter: true },
  { vendor: '6880', architecture: '', device: '49374', description: 'SwiftShader Device (Subzero)' },
  { vendor: '65541', architecture: '', device: '0', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
  { vendor: 'microsoft', architecture: '', device: '', description: 'Microsoft Basic Render Driver' },
];

const choose = (wish: DeviceWish, finding: AdapterFinding): DeviceReport =>
  chooseDevice(wish, finding, processorName(2));

test('the processor is named by what computes on it', () => {
  expect(processorName(1)).toBe('WebAssembly, 1 thread');
  expect(processorName(8)).toBe('WebAssembly, 8 threads');
});

describe('the choice of a device', () => {
  test('takes WebGPU on hardware, whether asked for or left open', () => {
    for (const wish of ['auto', 'webgpu'] as const) {
      expect(choose(wish, { facts: m4 })).toEqual({ kind: 'webgpu', name: 'apple metal-3' });
    }
  });

  test('takes the cpu device on a software adapter and says why', () => {
    for (const facts of software) {
      expect(isSoftwareAdapter(facts)).toBe(true);
      const report = choose('auto', { facts });
      expect(report).toMatchObject({ kind: 'cpu', name: 'WebAssembly, 2 threads' });
      expect(report.reason).toMatch(/software/);
    }
    expect(isSoftwareAdapter(m4)).toBe(false);
  });

  test('takes a software adapter when WebGPU is asked for by name', () => {
    for (const facts of software) expect(choose('webgpu', { facts }).kind).toBe('webgpu');
  });

  test('falls back to the cpu device without an adapter, naming the reason', () => {
    for (const wish of ['auto', 'webgpu'] as const) {
      expect(choose(wish, { missing: 'the system offers no adapter' })).toEqual({
        kind: 'cpu',
        name: 'WebAssembly, 2 threads',
        reason: 'No WebGPU here: the system offers no adapter.',
      });
    }
  });

  test('gives no reason for the cpu device when that is what was asked for', () => {
    expect(choose('cpu', { facts: m4 })).toEqual({ kind: 'cpu', name: 'WebAssembly, 2 threads' });
  });

  test('keeps reports within what the protocol accepts', () => {
    const long = 'x'.repeat(5000);
    expect(choose('webgpu', { facts: { ...m4, description: long } }).name).toHaveLength(200);
    expect(choose('auto', { missing: long }).reason).toHaveLength(500);
  });
});
