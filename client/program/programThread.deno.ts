// Entry point of a program's thread in Deno (dist/deno/programThread.js).

import { denoGpuAccess } from '../runtime/acquireDevice.deno.ts';
import { importBlob } from './importBlob.ts';
import { serveProgram } from './serveProgram.ts';
import { workerScopePort } from './workerScopePort.ts';

serveProgram(workerScopePort(), { importText: importBlob, openGpu: denoGpuAccess });
