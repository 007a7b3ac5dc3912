// The exact area under the ROC curve over all members: rows are sorted locally, ranges of margins are dealt out to the
// members, each computes its range's area in integers, and the areas are joined.

import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { readFromPeer } from '../../shared/collective/peerMessage.ts';
import { TreeFormatError } from '../../shared/gbdt/errors/gbdtErrors.ts';
import type { MetricBlock } from '../../shared/gbdt/metric/metric.ts';
import { MOST_ROWS } from '../../shared/gbdt/exactSums.ts';
import {
  areaOfRuns,
  decodeArea,
  encodeArea,
  joinAreas,
  MOST_AREA_BYTES,
} from '../../shared/gbdt/metric/rankArea.ts';
import {
  decodeRuns,
  encodeRuns,
  firstAtLeast,
  joinSpans,
  mostRunBytes,
  sortRuns,
  weightSpan,
} from '../../shared/gbdt/metric/rankRuns.ts';
import type { RankRuns, WeightSpan } from '../../shared/gbdt/metric/rankRuns.ts';

/** Margins that each member proposes as borders between ranges. */
const SAMPLES = 64;
const SPAN_BYTES = 16;

/** @returns NaN when one of the classes has no weight. */
export async function exactAuc(
  blocks: readonly MetricBlock[],
  collective: Collective,
  options: CollectiveOptions,
): Promise<number> {
  const span = weightSpan(blocks);
  if (collective.size === 1) return joinAreas([areaOfRuns([sortRuns(blocks, span)])]);
  const spans = await collective.allGather(encodeSpan(span), { ...options, maxBytes: SPAN_BYTES });
  const known = spans.map((bytes, rank) => readFromPeer(collective, rank, () => decodeSpan(bytes)));
  const ofAll = joinSpans(known);
  const mostRows = Math.max(...known.map(({ rows }) => rows));
  const runs = sortRuns(blocks, ofAll);
  // Where the borders lie changes who does the work, not the result.
  const samples = await collective.allGather(encodeSamples(runs), { ...options, maxBytes: 4 * SAMPLES });
  const borders = chooseBorders(samples, collective.size);
  const cuts = [0, ...borders.map((border) => firstAtLeast(runs, border)), runs.margins.length];
  const outgoing = Array.from({ length: collective.size }, (_, r) =>
    encodeRuns(runs, cuts[r]!, cuts[r + 1]!),
  );
  const incoming = await collective.exchange(outgoing, { ...options, maxBytes: mostRunBytes(mostRows) });
  const received = incoming.map((bytes, rank) => readFromPeer(collective, rank, () => decodeRuns(bytes)));
  const area = areaOfRuns(received);
  const areas = await collective.allGather(encodeArea(area), { ...options, maxBytes: MOST_AREA_BYTES });
  return joinAreas(areas.map((bytes, rank) => readFromPeer(collective, rank, () => decodeArea(bytes))));
}

function encodeSpan({ rows, largest }: WeightSpan): Uint8Array {
  return new Uint8Array(Float64Array.of(rows, largest).buffer);
}

/** @throws TreeFormatError when a peer's bytes are not a span. */
function decodeSpan(bytes: Uint8Array): WeightSpan {
  const [rows = NaN, largest = NaN] =
    bytes.length === SPAN_BYTES ? new Float64Array(bytes.slice().buffer) : [];
  if (!Number.isSafeInteger(rows) || rows < 0 || rows > MOST_ROWS || !(largest >= 0 && largest < 2 ** 128)) {
    throw new TreeFormatError('malformed weights of a peer');
  }
  return { rows, largest };
}

function encodeSamples({ margins }: RankRuns): Uint8Array {
  const count = margins.length === 0 ? 0 : SAMPLES;
  const view = new DataView(new ArrayBuffer(count * 4));
  for (let i = 0; i < count; i += 1)
    view.setInt32(i * 4, margins[Math.floor((i * margins.length) / SAMPLES)]!, true);
  return new Uint8Array(view.buffer);
}

/** size-1 ascending margins. */
function chooseBorders(samples: readonly Uint8Array[], size: number): number[] {
  const all: number[] = [];
  for (const bytes of samples) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 4 <= Math.min(bytes.byteLength, SAMPLES * 4); at += 4)
      all.push(view.getInt32(at, true));
  }
  all.sort((a, b) => a - b);
  return Array.from({ length: size - 1 }, (_, i) => all[Math.floor(((i + 1) * all.length) / size)] ?? 0);
}
