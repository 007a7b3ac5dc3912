// The searchers: one file each and one line here.

import { gridSearcher } from './gridSearcher.ts';
import { randomSearcher } from './randomSearcher.ts';
import type { Searcher } from './searcher.ts';
import { tpeSearcher } from './tpeSearcher.ts';

export const searchers: readonly Searcher[] = [randomSearcher, gridSearcher, tpeSearcher];

export const searcherNames: readonly string[] = searchers.map(({ name }) => name);
