// The zip of a net's state, unpacked, is a checkpoint as a trainer writes it.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { netCheckpoint } from '../../../../client/page/run/netCheckpoint.ts';
import { crc32, zipFiles } from '../../../../client/page/run/zipFiles.ts';
import { NeuralCheckpoint } from '../../../../coordinator/checkpoint/neuralCheckpoint.ts';
import { readNetInputs } from '../../../../shared/neural/model/netInputs.ts';
import { encodeState } from '../../../../shared/neural/state/namedState.ts';
import { scratchFolder } from '../../../coordinator/data/support/scratch.ts';

const path = scratchFolder();
const bytes = (...values: number[]) => Uint8Array.from(values);

/** By the directory at the end, as other programs read a zip. */
function unzip(zip: Buffer): Map<string, Buffer> {
  const end = zip.length - 22;
  expect(zip.readUInt32LE(end)).toBe(0x06054b50);
  const files = new Map<string, Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < zip.readUInt16LE(end + 10); i += 1) {
    expect(zip.readUInt32LE(at)).toBe(0x02014b50);
    const [sum, size, nameBytes] = [
      zip.readUInt32LE(at + 16),
      zip.readUInt32LE(at + 24),
      zip.readUInt16LE(at + 28),
    ];
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    const local = zip.readUInt32LE(at + 42);
    expect(zip.readUInt32LE(local)).toBe(0x04034b50);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const content = zip.subarray(from, from + size);
    expect(zlibCrc32(content)).toBe(sum);
    files.set(name, content);
    at += 46 + nameBytes;
  }
  expect(at).toBe(end);
  return files;
}

describe('A zip', () => {
  it('has its files as they were, by their names', () => {
    const files = [
      { name: 'empty', bytes: bytes() },
      { name: 'größe.bin', bytes: bytes(1, 2, 255) },
    ];
    const found = unzip(Buffer.concat(zipFiles(files)));
    expect([...found].map(([name, content]) => [name, [...content]])).toEqual([
      ['empty', []],
      ['größe.bin', [1, 2, 255]],
    ]);
    expect(unzip(Buffer.concat(zipFiles([])))).toEqual(new Map());
  });

  it('has the sums of ISO 3309', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });
});

describe('A stored state of a net', () => {
  it('becomes a checkpoint that can be gone on from', () => {
    const topology = { class_name: 'Sequential', config: { name: 'net', layers: [] } };
    const weights = new Map([['dense/kernel', { shape: [2], values: Float32Array.of(1.5, -2) }]]);
    const optimizer = [new Map([['dense/kernel', { shape: [2], values: Float32Array.of(0.25, 0.5) }]])];
    const inputs = [{ name: 'values', scale: 0.5, offset: 1 }];
    const state = encodeState({ step: 40, weights, optimizer });
    const files = netCheckpoint(state, { topology, inputs }, 40, { loss: 0.125 });
    const folder = path('checkpoint');
    mkdirSync(folder);
    for (const [name, content] of unzip(Buffer.concat(zipFiles(files))))
      writeFileSync(join(folder, name), content);
    const checkpoint = new NeuralCheckpoint(folder);
    expect(checkpoint.net()).toEqual({ step: 40, metrics: { loss: 0.125 } });
    const loaded = checkpoint.loadNet();
    expect(loaded.topology).toEqual(topology);
    expect([...loaded.state.weights.get('dense/kernel')!.values]).toEqual([1.5, -2]);
    expect([...loaded.state.optimizer[0]!.get('dense/kernel')!.values]).toEqual([0.25, 0.5]);
    const told = files.find(({ name }) => name === 'inputs.json')!;
    expect(readNetInputs(new TextDecoder().decode(told.bytes), 'inputs.json')).toEqual(inputs);
  });
});
