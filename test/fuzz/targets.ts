// The formats that are fuzzed. A further one is a FuzzTarget in a file of its own and a line here.

import { arrowTarget, batchBytesTarget } from './arrowTarget.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { netInputsTarget, netTarget, safetensorsTarget } from './netTarget.ts';
import { parquetTarget } from './parquetTarget.ts';
import { csvTarget, jsonTarget } from './textTarget.ts';

export const fuzzTargets: readonly FuzzTarget[] = [
  parquetTarget,
  arrowTarget,
  batchBytesTarget,
  csvTarget,
  jsonTarget,
  netInputsTarget,
  netTarget,
  safetensorsTarget,
];
