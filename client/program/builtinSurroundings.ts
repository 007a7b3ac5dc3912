// What the thread gives to tabgrad's own programs: their `init` is called with it. Owners' programs do without.

import type { AdapterSearch } from '../thread/findAdapter.ts';

export interface BuiltinSurroundings {
  readonly findAdapter: () => Promise<AdapterSearch>;
  /** Ends the thread, when it can not go on: its calls go to others. */
  readonly end: (reason: string) => void;
}
