// Entry point of the thread of an owner's code in Deno (dist/deno/ownerThread.js).

import { importText } from '../thread/importText.deno.ts';
import { workerScopePort } from '../thread/workerScopePort.ts';
import { denoGpuAccess } from './acquireDevice.deno.ts';
import { serveOwnerThread } from './serveOwnerThread.ts';

serveOwnerThread(workerScopePort(), { importText, openGpu: denoGpuAccess });
