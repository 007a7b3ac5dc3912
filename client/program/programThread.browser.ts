// The thread of a program in a tab: a dedicated worker below the compute worker. The browser's sandbox stands around it,
// and the tokens of page and compute worker are in other threads.

import { browserGpuAccess } from '../runtime/acquireDevice.browser.ts';
import { importBlob } from './importBlob.ts';
import { serveProgram } from './serveProgram.ts';
import { workerScopePort } from './workerScopePort.ts';

serveProgram(workerScopePort(), { importText: importBlob, openGpu: browserGpuAccess });
