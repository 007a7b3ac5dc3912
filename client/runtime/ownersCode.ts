// What a worker that was allowed to run owners' code runs it with.

import type { SessionEnvironment } from '../session/sessionEnvironment.ts';
import { evaluateOwnerCode } from './evaluateOwnerCode.ts';
import type { WorkerPlatform } from './workerPlatform.ts';

export function ownersCode({
  importText,
}: WorkerPlatform): Pick<Required<SessionEnvironment>, 'evaluateCode' | 'importCode'> {
  return { evaluateCode: evaluateOwnerCode, importCode: (source) => importText(source).module };
}
