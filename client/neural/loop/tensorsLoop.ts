// An owner's loop over tensors, in its thread: tfjs is here, and its device; collectives, rows and the record are the worker's
// main thread's.

import { provideTfjs } from '../../../shared/neural/loop/providedTfjs.ts';
import type { AskMain, LoadOwnerFunction, OpenLoop } from '../../ownerLoop/askMain.ts';
import type { TensorsPlace } from '../../ownerLoop/loopMessages.ts';
import { loadTfjs } from '../tfjs/loadTfjs.ts';
import { joinLoop } from './loopContext.ts';

interface TensorsDevice {
  /** A fresh adapter for the webgpu backend; none for the processor. */
  readonly adapter: GPUAdapter | undefined;
  readonly onLost: (reason: string) => void;
}

export async function openTensorsLoop(
  load: LoadOwnerFunction,
  ask: AskMain,
  { adapter, onLost }: TensorsDevice,
): Promise<OpenLoop> {
  const runtime = await loadTfjs(adapter);
  let isClosed = false;
  void runtime.lost.then((reason) => {
    if (!isClosed) onLost(reason);
  });
  // For modules, which are loaded after it.
  provideTfjs(runtime.tf);
  const loop = await load();
  return {
    async call(config, place) {
      const member = joinLoop({ tf: runtime.tf, ask, ...(place as TensorsPlace) });
      try {
        await loop(config, member.context);
      } catch (error) {
        throw member.failed ? member.failed.error : error;
      }
      if (member.failed) throw member.failed.error;
    },
    close() {
      isClosed = true;
      return runtime.close();
    },
  };
}
