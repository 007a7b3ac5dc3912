import { describe, expect, it } from 'vitest';
import { described, describeRequest } from '../../../../coordinator/core/run/describeRequest.ts';
import { loopSpec, netSpec } from '../../../setup/runSpecs.ts';

const request = { runId: 'r', name: 'A run', workers: { min: 1, max: 4 }, maxFailures: 0 };
const shard = (dataset: string, index: number, rows: number) => ({
  dataset,
  index,
  firstRow: 0,
  rows,
  sha256: 'a'.repeat(64),
  sizeBytes: 10,
});

describe('What a run was asked for', () => {
  it('is told with its datasets added up, and without models', () => {
    const told = describeRequest({
      ...request,
      spec: netSpec(7, { topology: { secretive: true } }),
      shards: [shard('train', 0, 5), shard('train', 1, 3), shard('valid', 0, 2)],
    });
    expect(told).toMatchObject({
      trainer: 'neural',
      totalRounds: 7,
      workers: { min: 1, max: 4 },
      datasets: {
        train: { rows: 8, shards: 2, sizeBytes: 20 },
        valid: { rows: 2, shards: 1, sizeBytes: 10 },
      },
      spec: { optimizer: { name: 'sgd' }, train: { rows: 1 } },
    });
    expect(JSON.stringify(told)).not.toContain('secretive');
  });

  it('shows no setting of the owner that is secret by its name', () => {
    const config = { apiKey: 'k1', nested: { db_password: 'k2', accessToken: 'k3', seed: 4 } };
    const told = JSON.stringify(describeRequest({ ...request, shards: [], spec: { ...loopSpec(), config } }));
    expect(told).not.toMatch(/k1|k2|k3/);
    expect(told).toContain('"seed":4');
  });

  it.each([
    ['x'.repeat(201), `${'x'.repeat(80)}… (201 characters)`],
    ['x'.repeat(200), 'x'.repeat(200)],
    [Array.from({ length: 25 }, (_, i) => i), [0, 1, 2, 3, 4, 5, 6, 7, '… (25 in all)']],
    [{ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }, { a: { b: { c: { d: { e: { f: '…' } } } } } }],
    [{ shards: [1], topology: {}, kept: null }, { kept: null }],
  ])('is bounded (%#)', (value, told) => {
    expect(described(value)).toEqual(told);
  });
});
