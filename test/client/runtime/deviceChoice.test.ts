import { describe, expect, test } from 'vitest';
import { chooseDevice, isSoftwareAdapter } from '../../../client/runtime/deviceChoice.ts';

const m4 = { vendor: 'apple', architecture: 'metal-3', device: '', description: '' };
// As Chromium, Dawn in Node, and Deno name SwiftShader and llvmpipe.
const software = [
  { vendor: 'google', architecture: 'swiftshader', device: '', description: '', isFallbackAdapter: true },
  { vendor: '6880', architecture: '', device: '49374', description: 'SwiftShader Device (Subzero)' },
  { vendor: '65541', architecture: '', device: '0', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' },
  { vendor: 'microsoft', architecture: '', device: '', description: 'Microsoft Basic Render Driver' },
];

describe('the choice of a device', () => {
  test('takes WebGPU on hardware, whether asked for or left open', () => {
    for (const wish of ['auto', 'webgpu'] as const) {
      expect(chooseDevice(wish, { facts: m4 })).toEqual({ kind: 'webgpu', name: 'apple metal-3' });
    }
  });

  test('takes the cpu device on a software adapter and says why', () => {
    for (const facts of software) {
      expect(isSoftwareAdapter(facts)).toBe(true);
      const report = chooseDevice('auto', { facts });
      expect(report).toMatchObject({ kind: 'cpu', name: 'JavaScript' });
      expect(report.reason).toMatch(/software/);
    }
    expect(isSoftwareAdapter(m4)).toBe(false);
  });

  test('takes a software adapter when WebGPU is asked for by name', () => {
    for (const facts of software) expect(chooseDevice('webgpu', { facts }).kind).toBe('webgpu');
  });

  test('falls back to the cpu device without an adapter, naming the reason', () => {
    for (const wish of ['auto', 'webgpu'] as const) {
      expect(chooseDevice(wish, { missing: 'the system offers no adapter' })).toEqual({
        kind: 'cpu',
        name: 'JavaScript',
        reason: 'No WebGPU here: the system offers no adapter.',
      });
    }
  });

  test('gives no reason for the cpu device when that is what was asked for', () => {
    expect(chooseDevice('cpu', { facts: m4 })).toEqual({ kind: 'cpu', name: 'JavaScript' });
  });

  test('keeps reports within what the protocol accepts', () => {
    const long = 'x'.repeat(5000);
    expect(chooseDevice('webgpu', { facts: { ...m4, description: long } }).name).toHaveLength(200);
    expect(chooseDevice('auto', { missing: long }).reason).toHaveLength(500);
  });
});
