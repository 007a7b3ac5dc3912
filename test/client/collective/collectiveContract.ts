// What every group must do, whatever carries its links. Each transport's suite runs this over its own groups.

import { expect, it } from 'vitest';
import type { Collective, NumericArray, ReduceOperation } from '../../../shared/collective/collective.ts';
import { expectSameBits, randomArray, rankOrderReduction, type ArrayKind } from './collectiveData.ts';

/** More than any test sends. */
const MAX_BYTES = 2 ** 30;

export interface ContractGroup {
  readonly collectives: readonly Collective[];
  close(): Promise<void> | void;
}

export interface ContractOptions {
  readonly groupSizes: readonly number[];
  readonly lengths: readonly number[];
}

export function collectiveContract(
  makeGroup: (size: number) => Promise<ContractGroup> | ContractGroup,
  { groupSizes, lengths }: ContractOptions,
): void {
  const kinds: ArrayKind[] = ['f64', 'f32', 'i32', 'u32'];
  const operations: ReduceOperation[] = ['sum', 'min', 'max'];

  for (const size of groupSizes) {
    const withGroup = async (use: (collectives: readonly Collective[]) => Promise<void>): Promise<void> => {
      const group = await makeGroup(size);
      try {
        await use(group.collectives);
      } finally {
        await group.close();
      }
    };

    it(`all-reduces ${kinds.join(', ')} in a group of ${size} to the bits of a sum in rank order`, () =>
      withGroup(async (collectives) => {
        for (const length of lengths) {
          for (const kind of length > 1000 ? (['f32'] as const) : kinds) {
            for (const operation of length > 1000 ? (['sum'] as const) : operations) {
              const inputs = collectives.map((_, rank) => randomArray(kind, length, rank + length));
              const expected = rankOrderReduction(inputs, operation);
              const results = await Promise.all(
                collectives.map((collective, rank) =>
                  collective.allReduce(inputs[rank] as NumericArray, operation),
                ),
              );
              for (const [rank, result] of results.entries()) {
                expect(result).toBe(inputs[rank]);
                expectSameBits(result, expected);
              }
            }
          }
        }
      }));

    it(`reduce-scatters uneven and empty parts in a group of ${size} and leaves the input alone`, () =>
      withGroup(async (collectives) => {
        for (const length of lengths.map((one) => Math.min(one, 200_000))) {
          const bounds = collectives.map((_, rank) => Math.floor(length * (rank / size) ** 2));
          bounds.push(length);
          const inputs = collectives.map((_, rank) => randomArray('f64', length, rank + 3));
          const before = inputs.map((input) => input.slice());
          const expected = rankOrderReduction(inputs, 'sum');
          const parts = await Promise.all(
            collectives.map((collective, rank) =>
              collective.reduceScatter(inputs[rank] as NumericArray, bounds),
            ),
          );
          for (const [rank, part] of parts.entries()) {
            expectSameBits(part, expected.slice(bounds[rank], bounds[rank + 1]));
            expectSameBits(inputs[rank] as NumericArray, before[rank] as NumericArray);
          }
        }
      }));

    it(`gathers, exchanges and broadcasts bytes of different lengths in a group of ${size}`, () =>
      withGroup(async (collectives) => {
        for (const length of lengths.map((one) => Math.min(one, 200_000))) {
          const own = collectives.map((_, rank) => {
            const values = randomArray('u32', length, rank);
            return new Uint8Array(values.buffer, 0, Math.max(0, values.byteLength - rank));
          });
          const gathered = await Promise.all(
            collectives.map((collective, rank) =>
              collective.allGather(own[rank] as Uint8Array, { maxBytes: MAX_BYTES }),
            ),
          );
          for (const result of gathered) expectSameByteLists(result, own);

          const addressed = own.map((bytes, from) =>
            own.map((_, to) => bytes.subarray(0, bytes.length - from - to)),
          );
          const exchanged = await Promise.all(
            collectives.map((collective, rank) =>
              collective.exchange(addressed[rank] as Uint8Array[], { maxBytes: MAX_BYTES }),
            ),
          );
          for (const [to, result] of exchanged.entries()) {
            expectSameByteLists(
              result,
              addressed.map((list) => list[to] as Uint8Array),
            );
          }

          const root = length % size;
          const everywhere = await Promise.all(
            collectives.map((collective, rank) =>
              collective.broadcast(rank === root ? (own[root] as Uint8Array) : new Uint8Array(0), root, {
                maxBytes: MAX_BYTES,
              }),
            ),
          );
          for (const result of everywhere) expectSameByteLists([result], [own[root] as Uint8Array]);
        }
      }));

    it(`lets nobody of a group of ${size} past a barrier before everybody has come`, () =>
      withGroup(async (collectives) => {
        const passed: number[] = [];
        const early = collectives
          .slice(1)
          .map((collective, at) => collective.barrier().then(() => passed.push(at + 1)));
        // Everything else runs far ahead, as far as it can without rank 0.
        await new Promise((resolve) => setImmediate(resolve));
        expect(passed).toEqual([]);
        await Promise.all([collectives[0]?.barrier(), ...early]);
        expect(passed.toSorted((a, b) => a - b)).toEqual(collectives.slice(1).map((_, at) => at + 1));
      }));

    it(`keeps collectives apart that a group of ${size} starts before earlier ones are done`, () =>
      withGroup(async (collectives) => {
        const results = await Promise.all(
          collectives.map((collective, rank) =>
            Promise.all([
              collective.allReduce(new Int32Array(5000).fill(rank + 1)),
              collective.broadcast(new Uint8Array([rank]), 0, { maxBytes: MAX_BYTES }),
              collective.allReduce(new Float64Array(70_000).fill(rank + 0.25), 'max'),
              collective.barrier(),
            ]),
          ),
        );
        for (const [sum, first, largest] of results) {
          expect(sum.every((value) => value === (size * (size + 1)) / 2)).toBe(true);
          expect([...first]).toEqual([0]);
          expect(largest.every((value) => value === size - 0.75)).toBe(true);
        }
      }));
  }
}

function expectSameByteLists(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [at, bytes] of actual.entries()) {
    expect(Buffer.compare(bytes, expected[at] as Uint8Array)).toBe(0);
  }
}
