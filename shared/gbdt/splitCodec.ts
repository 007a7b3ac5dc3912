// The best splits of a feature block as bytes, for the exchange between block owners. Little endian.
// A message: hasRoot u8, [root g f64, root h f64], then a record for each node: kind u8 (0 none, 1 numeric,
// 2 categorical; +4 missing goes left), and unless none: gain f32, feature u32, splitBin i16, four sums f64, [8 words].
// Where a run's sums are wide their low limbs follow them.

import { TreeFormatError } from './errors/gbdtErrors.ts';
import type { LowSums, SplitCandidate } from '../../kernels/gbdt/splitCandidate.ts';
import type { NodeSums } from './split.ts';

const LONGEST_RECORD = 1 + 4 + 4 + 2 + 2 * 32 + 32;

const ROOT_BYTES = 33;

/** Bytes of a message about so many nodes, at most. */
export function mostSplitBytes(nodes: number): number {
  return ROOT_BYTES + nodes * LONGEST_RECORD;
}

export interface SplitMessage {
  /** Sums of the root, from an owner of at least one feature; only at the first level. */
  readonly root: NodeSums | undefined;
  readonly candidates: readonly (SplitCandidate | undefined)[];
}

export function encodeSplits({ root, candidates }: SplitMessage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(mostSplitBytes(candidates.length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const f64 = (value: number): void => {
    view.setFloat64(at, value, true);
    at += 8;
  };
  view.setUint8(at++, root === undefined ? 0 : 1);
  if (root !== undefined) {
    f64(root.g);
    f64(root.h);
    if (root.low) [root.low.g, root.low.h].forEach(f64);
  }
  for (const candidate of candidates) {
    if (candidate === undefined) {
      view.setUint8(at++, 0);
      continue;
    }
    const { categories } = candidate;
    view.setUint8(at++, (categories === undefined ? 1 : 2) + (candidate.missingGoesLeft ? 4 : 0));
    view.setFloat32(at, candidate.gain, true);
    view.setUint32(at + 4, candidate.feature, true);
    view.setInt16(at + 8, candidate.splitBin, true);
    at += 10;
    f64(candidate.leftG);
    f64(candidate.leftH);
    f64(candidate.rightG);
    f64(candidate.rightH);
    const { low } = candidate;
    if (low) [low.leftG, low.leftH, low.rightG, low.rightH].forEach(f64);
    categories?.forEach((word) => {
      view.setUint32(at, word, true);
      at += 4;
    });
  }
  return bytes.slice(0, at);
}

/**
 * Reads a message about `nodes` nodes.
 * @param isWide sums have two limbs.
 * @throws TreeFormatError when the bytes are not such a message.
 */
export function decodeSplits(
  bytes: Uint8Array,
  nodes: number,
  features: number,
  isWide = false,
): SplitMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const need = (count: number): number => {
    const from = at;
    at += count;
    if (at > bytes.byteLength) throw malformed(`it ends at byte ${bytes.byteLength}, expected more`);
    return from;
  };
  const integer = (): number => {
    const value = view.getFloat64(need(8), true);
    if (!Number.isSafeInteger(value)) throw malformed(`a sum of ${value}`);
    return value;
  };
  const pair = (): { g: number; h: number } => ({ g: integer(), h: integer() });
  const hasRoot = view.getUint8(need(1)) === 1;
  const root = hasRoot ? { ...pair(), ...(isWide && { low: pair() }) } : undefined;
  const candidates: (SplitCandidate | undefined)[] = [];
  for (let node = 0; node < nodes; node += 1) {
    const kind = view.getUint8(need(1));
    if (kind === 0) {
      candidates.push(undefined);
      continue;
    }
    const shape = kind & 3;
    if ((shape !== 1 && shape !== 2) || kind > 7) throw malformed(`a record of kind ${kind}`);
    const from = need(10);
    const gain = view.getFloat32(from, true);
    const feature = view.getUint32(from + 4, true);
    const splitBin = view.getInt16(from + 8, true);
    if (!Number.isFinite(gain) || feature >= features || splitBin < -1 || splitBin > 255) {
      throw malformed(`gain ${gain}, feature ${feature}, bin ${splitBin}`);
    }
    const sides = (): LowSums => ({
      leftG: integer(),
      leftH: integer(),
      rightG: integer(),
      rightH: integer(),
    });
    const sums = { ...sides(), ...(isWide && { low: sides() }) };
    const categories =
      shape === 2 ? Uint32Array.from({ length: 8 }, () => view.getUint32(need(4), true)) : undefined;
    const missingGoesLeft = (kind & 4) !== 0;
    candidates.push({ gain, feature, splitBin, categories, missingGoesLeft, ...sums });
  }
  if (at !== bytes.byteLength) throw malformed(`${bytes.byteLength - at} bytes too many`);
  return { root, candidates };
}

function malformed(what: string): TreeFormatError {
  return new TreeFormatError(`malformed split message of a peer: ${what}`);
}
