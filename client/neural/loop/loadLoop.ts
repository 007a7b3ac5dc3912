// The owner's loop from what travelled: evaluated anew for each generation, so that a loop that was given up shares nothing
// with the next.

import type { DataParallelLoop } from '../../../shared/neural/loop/dataParallelLoop.ts';
import type { LoopCode } from '../../../shared/neural/loop/loopSpec.ts';
import type { SessionEnvironment } from '../../session/sessionEnvironment.ts';
import { provideTfjs } from '../../../shared/neural/loop/providedTfjs.ts';
import type { Tf } from '../tfjs/loadTfjs.ts';
import { LoopMisuseError } from './loopErrors.ts';

/** @throws LoopMisuseError where owners may not run code, or the code is no function. */
export async function loadLoop(
  code: LoopCode,
  tf: Tf,
  environment: SessionEnvironment,
  signal: AbortSignal,
): Promise<DataParallelLoop> {
  const { evaluateCode, importCode } = environment;
  if (!evaluateCode || !importCode) {
    throw new LoopMisuseError(
      'this worker does not run code of owners; start it with "tabgrad worker --allow-code"',
    );
  }
  if (code.kind === 'text') return checked(evaluateCode(code.source), 'trainLoopPerWorker');
  const { bundle, exportName } = code;
  const bytes = await environment.fetchBlob(bundle.sha256, { sizeBytes: bundle.sizeBytes, signal });
  provideTfjs(tf);
  const module = (await importCode(new TextDecoder().decode(bytes))) as Record<string, unknown>;
  return checked(module[exportName], `export ${exportName}`);
}

function checked(value: unknown, what: string): DataParallelLoop {
  if (typeof value === 'function') return value as DataParallelLoop;
  throw new LoopMisuseError(`${what} is no function`);
}
