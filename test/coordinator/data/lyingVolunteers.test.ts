// Batch prediction on a pool whose volunteers do not all say the truth: each row comes back once, predicted by an honest one.

import * as arrow from 'apache-arrow';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { readMapped } from '../../../coordinator/data/operators/readMapped.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { batchOfBytes, bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import { handMadeVolunteer, type Volunteer } from '../program/handMadeVolunteer.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from '../serve/servedModels.ts';

const ROWS = 40;
const ADMIN_TOKEN = 'the-admin-token-of-this-test';

let models: ServedModels;
let coordinator: Coordinator;
const volunteers: Volunteer[] = [];
beforeAll(async () => {
  models = makeServedModels();
  coordinator = await startCoordinator({ port: 0, graceMs: 500, adminToken: ADMIN_TOKEN });
});
afterEach(async () => {
  await Promise.all(volunteers.splice(0).map((volunteer) => volunteer[Symbol.asyncDispose]()));
});
afterAll(async () => {
  await coordinator.close();
  models.remove();
});

async function add(lie?: Parameters<typeof handMadeVolunteer>[1]): Promise<Volunteer> {
  const volunteer = await handMadeVolunteer(coordinator, lie);
  volunteers.push(volunteer);
  return volunteer;
}

const rows = flights(ROWS).map((row, id) => ({ id, ...row }));

function predicted(): Dataset {
  return fromItems(rows).mapBatches(GBDTPredictor, {
    batchSize: 10,
    concurrency: 2,
    fnConstructorArgs: [models.late.checkpoint, { keepColumns: ['id'] }],
    scalingConfig: { url: coordinator.url, token: ADMIN_TOKEN },
  });
}

/** As a volunteer that may change every column sees it. */
const changed =
  (change: (columns: Record<string, unknown[]>) => Record<string, unknown[]>) =>
  (right: unknown): Uint8Array => {
    const table = new arrow.Table([batchOfBytes(right as Uint8Array)]);
    const columns = Object.fromEntries(
      table.schema.fields.map(({ name }) => [name, [...table.getChild(name)!] as unknown[]]),
    );
    const vectors = Object.entries(change(columns)).map(([name, values]) => {
      const type = typeof values[0] === 'string' ? new arrow.Utf8() : new arrow.Float32();
      return [name, arrow.vectorFromArray(values as number[], type)] as const;
    });
    return arrow.tableToIPC(new arrow.Table(Object.fromEntries(vectors)), 'stream');
  };

describe('predictions of a volunteer', () => {
  const expected = (): object[] => {
    const values = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), ROWS);
    return rows.map(({ id }) => ({ id, predictions: values[id]! }));
  };

  it.each<[string, (right: unknown) => unknown]>([
    [
      'for fewer rows',
      changed(({ id, predictions }) => ({ id: id!.slice(1), predictions: predictions!.slice(1) })),
    ],
    ['with another column', changed((columns) => ({ ...columns, note: columns['id']!.map(() => 'hello') }))],
    ['without theirs', changed(({ id }) => ({ id: id! }))],
    ['as text', changed(({ id }) => ({ id: id!, predictions: id!.map(() => '<script>') }))],
    ['that are no numbers', changed(({ id }) => ({ id: id!, predictions: id!.map(() => Number.NaN) }))],
    ['in no batch', () => new Uint8Array([1, 2, 3])],
    ['as a plain array', () => [1, 2, 3]],
    ['that never come', () => undefined],
  ])('%s are made again by another', async (_, lie) => {
    const liar = await add(lie);
    const honest = await add();
    expect(await predicted().takeAll()).toEqual(expected());
    expect(honest.calls).toBeGreaterThanOrEqual(4);
    expect(liar.calls).toBeLessThanOrEqual(4);
  });

  it('have no say in the columns that are kept', async () => {
    await add(changed(({ id, predictions }) => ({ id: id!.map(() => 7), predictions: predictions! })));
    expect(await predicted().takeAll()).toEqual(expected());
  });
});

describe("what code of an owner's makes of a batch", () => {
  const given = new arrow.Table({ x: arrow.vectorFromArray([1, 2, 3], new arrow.Float32()) }).batches[0]!;

  it('may be any batch', () => {
    const mapped = new arrow.Table({ text: arrow.vectorFromArray(['a', 'bc'], new arrow.Utf8()) })
      .batches[0]!;
    const read = readMapped(bytesOfBatch(mapped), given, undefined);
    expect([...read.getChild('text')!]).toEqual(['a', 'bc']);
  });

  it('has no more rows than bytes have room for', () => {
    const nothing = arrow.makeData({ type: new arrow.Null(), length: 1_000_000 });
    const huge = new arrow.Table({ x: arrow.makeVector(nothing) }).batches[0]!;
    expect(() => readMapped(bytesOfBatch(huge), given, undefined)).toThrow(
      /^The worker answers with 1000000 rows in \d+ bytes\.$/,
    );
  });
});
