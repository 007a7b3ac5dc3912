// stub
import type { OpenTransportOptions } from './openTransport.ts';
import type { WorkerTransport } from './workerPlatform.ts';
export const openTransport = (_: OpenTransportOptions): Promise<WorkerTransport> =>
  Promise.reject(new Error('No transport yet.'));
