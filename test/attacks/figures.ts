// What an attack was measured to do, beside what it may do at most: goes into the table at the end of the run.

import type { TestContext } from 'vitest';
import { expect } from 'vitest';

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
  readonly unit: string;
}

declare module 'vitest' {
  interface TaskMeta {
    figures?: Figure[];
  }
}

/** Notes a figure and fails the test where it is above the bound. */
export function expectAtMost({ task }: TestContext, figure: Figure): void {
  (task.meta.figures ??= []).push(figure);
  expect(figure.value, `${figure.what} in ${figure.unit}`).toBeLessThanOrEqual(figure.atMost);
}
