// Entry point of the thread of an owner's code in a tab.

import { importBlob } from '../thread/importBlob.ts';
import { workerScopePort } from '../thread/workerScopePort.ts';
import { browserGpuAccess } from './acquireDevice.browser.ts';
import { serveOwnerThread } from './serveOwnerThread.ts';

serveOwnerThread(workerScopePort(), { importText: importBlob, openGpu: browserGpuAccess });
