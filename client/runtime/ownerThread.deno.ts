// Entry point of the thread of an owner's code in Deno (dist/deno/ownerThread.js).

import { importBlob } from '../thread/importBlob.ts';
import { workerScopePort } from '../thread/workerScopePort.ts';
import { denoGpuAccess } from './acquireDevice.deno.ts';
import { serveOwnerThread } from './serveOwnerThread.ts';

serveOwnerThread(workerScopePort(), { importText: importBlob, openGpu: denoGpuAccess });
