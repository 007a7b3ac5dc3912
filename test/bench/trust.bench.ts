// `npm run bench:trust -- [--rows N] [--rounds N] [--seeds N] [--only cost|lies]`: what it costs to check the work of strangers, a
// round with and without in one run; and how soon each lie is named, over seeds. It reports and doesn't fail.

import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { setup as buildBundles } from '../setup/buildBundles.ts';
import { printCost } from './trust/printCost.ts';
import { printLies } from './trust/printLies.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '30' },
    seeds: { type: 'string', default: '20' },
    only: { type: 'string' },
  },
});

console.log(`${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
await buildBundles();
if (values.only !== 'lies') await printCost(Number(values.rows), Number(values.rounds));
if (values.only !== 'cost') await printLies(Number(values.seeds));
process.exit(0);
