// The rows of a dataset at one member: shards are fetched when they are needed and given up when others are.

import { elements } from '../../../shared/neural/graph/graphBuilder.ts';
import type { TensorDataset, TensorField } from '../../../shared/neural/run/neuralSpec.ts';
import type { Microbatch, TargetValues } from '../../../shared/neural/trainingEngine.ts';
import { RowOrder } from '../../../shared/neural/run/rowOrder.ts';
import type { MicrobatchPlace } from '../../../shared/neural/run/stepPlan.ts';
import { decodeTensorShard, fieldsOf, type StoredValues } from '../../../shared/neural/run/tensorShard.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';

/** Somewhat more than a window of the order, so that the next one's shards find room. */
const CACHE_BYTES = 256 * 1024 * 1024;

export class TensorRows {
  readonly #dataset: TensorDataset;
  readonly #environment: Pick<SessionEnvironment, 'fetchBlob'>;
  readonly #seed: number | undefined;
  readonly #fields: readonly TensorField[];
  /** In the order of their last use. */
  readonly #open = new Map<number, Promise<StoredValues[]>>();
  #openBytes = 0;
  #order: { readonly epoch: number; readonly rows: RowOrder } | undefined;

  /** @param seed undefined: the rows as they lie. */
  constructor(
    dataset: TensorDataset,
    seed: number | undefined,
    environment: Pick<SessionEnvironment, 'fetchBlob'>,
  ) {
    this.#dataset = dataset;
    this.#environment = environment;
    this.#seed = seed;
    this.#fields = fieldsOf(dataset);
  }

  /** Copies the rows of a microbatch together. */
  async read({ epoch, from, to }: MicrobatchPlace, step: number, signal: AbortSignal): Promise<Microbatch> {
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, rows: new RowOrder(this.#dataset, epoch, this.#seed) };
    }
    const order = this.#order.rows;
    const examples = to - from;
    const columns = this.#fields.map((field) => emptyColumn(field, examples));
    const exampleIds = new Uint32Array(examples);
    for (let example = 0; example < examples; example++) {
      const place = order.at(from + example);
      const stored = await this.#shard(place.shard, signal);
      exampleIds[example] = place.shard * this.#dataset.shardRows + place.row;
      for (const [at, field] of this.#fields.entries()) {
        copyRow(field, stored[at]!, place.row, columns[at]!, example);
      }
    }
    const inputs = columns.slice(0, -1);
    return { examples, inputs, targets: columns.at(-1)!, exampleIds, step };
  }

  async #shard(index: number, signal: AbortSignal): Promise<StoredValues[]> {
    const shard = this.#dataset.shards[index]!;
    const known = this.#open.get(index);
    if (known) {
      if (this.#open.size > 1) {
        this.#open.delete(index);
        this.#open.set(index, known);
      }
      return known;
    }
    const load = async (): Promise<StoredValues[]> => {
      const { sha256, sizeBytes } = shard;
      const bytes = await this.#environment.fetchBlob(sha256, { sizeBytes, signal });
      return decodeTensorShard(this.#fields, bytes, shard.rows);
    };
    this.#openBytes += shard.sizeBytes;
    for (const oldest of this.#open.keys()) {
      if (this.#openBytes <= CACHE_BYTES) break;
      this.#close(oldest);
    }
    const loading = load();
    this.#open.set(index, loading);
    try {
      return await loading;
    } catch (error) {
      this.#close(index);
      throw error;
    }
  }

  #close(index: number): void {
    if (this.#open.delete(index)) this.#openBytes -= this.#dataset.shards[index]!.sizeBytes;
  }
}

function emptyColumn({ shape, dtype }: TensorField, rows: number): TargetValues {
  const length = rows * elements(shape);
  return dtype === 'int32' ? new Int32Array(length) : new Float32Array(length);
}

function copyRow(
  { shape, scale, offset = 0 }: TensorField,
  stored: StoredValues,
  row: number,
  column: TargetValues,
  example: number,
): void {
  const width = elements(shape);
  const values = stored.subarray(row * width, (row + 1) * width);
  const start = example * width;
  if (scale === 1 && offset === 0) column.set(values, start);
  else for (let i = 0; i < width; i++) column[start + i] = values[i]! * scale + offset;
}
