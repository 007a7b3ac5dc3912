// The rows of an owner that are here for a run, for the volunteer to look at: how many of which dataset, and the first ones as
// they came.

import { MISSING_BIN } from '../../kernels/gbdt/treeDevice.ts';
import { visibleLine } from '../../kernels/visibleText.ts';
import { readTrainSpec } from '../../shared/gbdt/readTrainSpec.ts';
import { decodeShard } from '../../shared/gbdt/shardCodec.ts';
import { readLoopSpec } from '../../shared/neural/loop/readLoopSpec.ts';
import type { TensorDataset, TensorField } from '../../shared/neural/run/neuralSpec.ts';
import { readNeuralSpec } from '../../shared/neural/run/readNeuralSpec.ts';
import { decodeTensorShard, fieldsOf, type StoredValues } from '../../shared/neural/run/tensorShard.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import type { Assignment } from '../memberRun/memberRun.ts';

export interface HeldRows {
  /** Rows of each dataset that this worker holds; of a net those of all, of which it draws some for each step. */
  readonly datasets: readonly { readonly name: string; readonly rows: number }[];
  /** Rows of other members that are kept ready, should one of those go. */
  readonly spareRows: number;
  /** Whether a value is the number of a step on its column's scale. */
  readonly areSteps: boolean;
  /** In all; the look has the first ones. */
  readonly columnCount: number;
  readonly look: {
    readonly dataset: string;
    /** Of the first one that is shown, within its dataset. */
    readonly firstRow: number;
    readonly columns: readonly string[];
    /** By row, then by column. */
    readonly values: readonly (readonly string[])[];
  };
}

/** What a worker was told of its place. */
type Place = Pick<Assignment, 'spec' | 'leases' | 'groupLeases' | 'spares'>;

type FetchBytes = (sha256: string, sizeBytes?: number) => Promise<Uint8Array>;

const SHOWN_ROWS = 5;
const SHOWN_COLUMNS = 24;
const SHOWN_ELEMENTS = 4;
const NAME_CHARACTERS = 64;

/**
 * @param fetchBytes of a blob; what was loaded for the run is in the worker's cache, as far as that has room.
 * @returns undefined of a run that leases nothing to this worker.
 * @throws TabgradError where the blobs can't be had or are not what they should be.
 */
export async function heldRowsOf(place: Place, fetchBytes: FetchBytes): Promise<HeldRows | undefined> {
  const spec = JSON.parse(new TextDecoder().decode(await fetchBytes(place.spec))) as { trainer?: unknown };
  if (spec.trainer === 'gbdt') return heldByTrees(place, readTrainSpec(spec).features, fetchBytes);
  if (spec.trainer === 'loop') return heldByNet(readLoopSpec(spec).datasets, fetchBytes);
  const { train, valid } = readNeuralSpec(spec);
  return heldByNet({ train, ...(valid && { valid }) }, fetchBytes);
}

async function heldByTrees(
  { leases, groupLeases, spares = [] }: Place,
  features: readonly { readonly name: string }[],
  fetchBytes: FetchBytes,
): Promise<HeldRows | undefined> {
  // Where members share the rows each loads those of all.
  const held = groupLeases?.flat() ?? leases;
  const first = leases[0];
  if (!first) return undefined;
  const { firstRow, rows, labels, bins } = decodeShard(await fetchBytes(first.sha256, first.sizeBytes));
  const shown = bins.slice(0, SHOWN_COLUMNS - 1);
  return {
    datasets: rowsByDataset(held),
    spareRows: spares.reduce((sum, spare) => sum + spare.rows, 0),
    areSteps: true,
    columnCount: bins.length + 1,
    look: {
      dataset: first.dataset,
      firstRow,
      columns: ['label', ...shown.map((_, i) => nameOf(features[i]?.name))],
      values: firstRows(rows).map((row) => [
        numberText(labels[row]),
        ...shown.map((codes) => (codes[row] === MISSING_BIN ? '–' : String(codes[row]))),
      ]),
    },
  };
}

async function heldByNet(
  datasets: Readonly<Record<string, TensorDataset>>,
  fetchBytes: FetchBytes,
): Promise<HeldRows | undefined> {
  const [named] = Object.entries(datasets);
  const shard = named?.[1].shards[0];
  if (!named || !shard) return undefined;
  const [name, dataset] = named;
  const fields = fieldsOf(dataset);
  const columns = decodeTensorShard(fields, await fetchBytes(shard.sha256, shard.sizeBytes), shard.rows);
  const shown = fields.slice(0, SHOWN_COLUMNS);
  return {
    datasets: Object.entries(datasets).map(([key, { rows }]) => ({ name: nameOf(key), rows })),
    spareRows: 0,
    areSteps: false,
    columnCount: fields.length,
    look: {
      dataset: nameOf(name),
      firstRow: 0,
      columns: shown.map((field) => nameOf(field.name)),
      values: firstRows(shard.rows).map((row) =>
        shown.map((field, i) => tensorText(field, columns[i]!, row)),
      ),
    },
  };
}

function rowsByDataset(leases: readonly Lease[]): { name: string; rows: number }[] {
  const sums = new Map<string, number>();
  for (const { dataset, rows } of leases) sums.set(dataset, (sums.get(dataset) ?? 0) + rows);
  return [...sums].map(([name, rows]) => ({ name: nameOf(name), rows }));
}

function firstRows(rows: number): number[] {
  return Array.from({ length: Math.min(rows, SHOWN_ROWS) }, (_, row) => row);
}

/** A value, or the first of many. */
function tensorText(
  { shape, scale, offset = 0, dtype }: TensorField,
  values: StoredValues,
  row: number,
): string {
  const elements = shape.reduce((product, size) => product * size, 1);
  const from = row * elements;
  const texts = Array.from(values.subarray(from, from + Math.min(elements, SHOWN_ELEMENTS)), (value) =>
    numberText(dtype === 'float32' ? value * scale + offset : value),
  );
  return elements > SHOWN_ELEMENTS ? `${texts.join(', ')}, … (${elements})` : texts.join(', ');
}

function numberText(value = Number.NaN): string {
  return String(Number(value.toPrecision(6)));
}

/** Names are the owner's words. */
function nameOf(name = ''): string {
  return visibleLine(name).slice(0, NAME_CHARACTERS);
}
