// The suite of a runtime's WebGPU: each op gives the numbers of its reference, and what is not finite stays so and stays where
// it is; small nets train to the numbers of the processor.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { netCases } from '../../../shared/neural/nets.ts';
import { sampled } from '../../../setup/longRun.ts';
import type { Asked } from './opPlayer.ts';
import { opCases } from './opCases.ts';

export interface OpRuntime {
  play(asked: Asked): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * @param nets How many of the small nets; they are many, and each compiles many kernels.
 * @param every Each so manieth op, where another runtime has them all.
 */
export function opSuite(name: string, open: () => Promise<OpRuntime>, nets: number, every: number): void {
  describe(name, () => {
    let runtime: OpRuntime;
    beforeAll(async () => {
      runtime = await open();
    });
    afterAll(() => runtime.close());

    it.each(sampled(opCases, every).map(({ title }) => title))('%s is as on the processor', async (title) => {
      expect(await runtime.play({ kind: 'op', title })).toEqual([]);
    });

    it.each(netCases.slice(0, nets).map(({ title }) => title))(
      '%s trains as on the processor',
      async (title) => {
        expect(await runtime.play({ kind: 'net', title })).toEqual([]);
      },
    );
  });
}
