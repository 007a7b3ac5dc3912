// Arrays of floats in WGSL: four at a time where a row's length allows it, so that a thread moves 16 bytes.

import type { StorageBinding } from '../../gpu/op.ts';

export type VectorWidth = 1 | 4;

export function widthOf(length: number): VectorWidth {
  return length % 4 === 0 ? 4 : 1;
}

/** `T`, the type that kernels compute with, and `B`, what comparisons of it give. */
export function vectorAliases(width: VectorWidth): string {
  return width === 4 ? 'alias T = vec4<f32>;\nalias B = vec4<bool>;' : 'alias T = f32;\nalias B = bool;';
}

export function readVectors(name: string): StorageBinding {
  return { name, type: 'array<T>', access: 'read' };
}

export function changeVectors(name: string): StorageBinding {
  return { name, type: 'array<T>', access: 'read_write' };
}

export function readFloats(name: string): StorageBinding {
  return { name, type: 'array<f32>', access: 'read' };
}

export function changeFloats(name: string): StorageBinding {
  return { name, type: 'array<f32>', access: 'read_write' };
}

/** A number as WGSL's f32 literal. */
export function float(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
