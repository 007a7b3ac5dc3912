// What a platform gives to the threads of owners' code.

import type { OpenGpu } from './findAdapter.ts';

/** Loads the text of an ES module; the address is what positions in it are reported under. */
export type ImportText = (source: string) => { readonly url: string; readonly module: Promise<unknown> };

export interface ThreadPlatform {
  readonly importText: ImportText;
  readonly openGpu: OpenGpu;
}
