// A temporary folder for the files of a test suite.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** The folder is removed after the suite. */
export function scratchFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

const root = new URL('../../../../node_modules/', import.meta.url).pathname;
export const flightsParquet = join(root, 'vega-datasets/data/flights-3m.parquet');
export const flightsArrow = join(root, 'vega-datasets/data/flights-200k.arrow');
export const vegaData = (name: string): string => join(root, 'vega-datasets/data', name);
export const sampleData = (name: string): string => join(root, '@observablehq/sample-datasets', name);
