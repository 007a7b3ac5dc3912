// The kernels of trees for work of one thread that can't wait: predictions, sums of losses, sorting. All of a thread share one memory.

import { treesModule } from '../../wasm/built/trees.ts';
import { hasSimd } from '../../wasm/compiledModule.ts';
import { WasmRuntime } from '../../wasm/wasmRuntime.ts';

interface AloneExports {
  addForest(parameters: number): void;
  addLosses(parameters: number): void;
  radixSort(
    keys: number,
    payload: number,
    room: number,
    payloadRoom: number,
    count: number,
    counts: number,
  ): number;
  rankKeys(margins: number, labels: number, rows: number, keys: number): void;
  rankRuns(keys: number, count: number, margins: number, negatives: number, positives: number): number;
}

export type AloneRuntime = WasmRuntime<AloneExports>;

let opened: AloneRuntime | 'none' | undefined;

/** Undefined where this engine has no WebAssembly with SIMD, or gives none to this page; plain code does the work then. */
export function aloneRuntime(): AloneRuntime | undefined {
  opened ??= open();
  return opened === 'none' ? undefined : opened;
}

function open(): AloneRuntime | 'none' {
  if (!hasSimd()) return 'none';
  try {
    return WasmRuntime.openAlone<AloneExports>(treesModule);
  } catch {
    return 'none';
  }
}
