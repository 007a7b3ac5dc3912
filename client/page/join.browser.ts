// The volunteer's page: starts the compute worker when asked to, passes its reports to the view and the volunteer's
// wishes back. `device` and `name` are settings, in the query or in the fragment; `token` in the fragment alone, which no
// server sees; `auto=1` joins without a click (tabs that are opened by a launcher on the same machine).

import { proxy, transfer, wrap } from 'comlink';
import { LAUNCH_REPORT_FUNCTION, type LaunchReport } from '../../shared/protocol/launchReport.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { ComputeApi } from '../runtime/computeApi.ts';
import { isDeviceWish } from '../runtime/deviceChoice.ts';
import { servePeerEndpoint } from '../transport/servePeerEndpoint.browser.ts';
import type { WorkerEnd, WorkerStatus } from '../runtime/workerStatus.ts';
import {
  joinButton,
  leaveButton,
  pauseButton,
  resumeButton,
  showPhase,
  showProblem,
  showStatus,
} from './joinView.browser.ts';

const fragment = new URLSearchParams(location.hash.slice(1));
const settings = new URLSearchParams([...new URLSearchParams(location.search), ...fragment]);
const wish = settings.get('device');
const reportToLauncher = (globalThis as Record<string, unknown>)[LAUNCH_REPORT_FUNCTION] as
  | ((report: LaunchReport) => unknown)
  | undefined;

let compute: { api: ReturnType<typeof wrap<ComputeApi>>; thread: globalThis.Worker } | undefined;
let knownWorkerId: string | undefined;

function onStatus(status: WorkerStatus): void {
  showStatus(status);
  const { workerId, device } = status;
  if (workerId !== undefined && workerId !== knownWorkerId && device) {
    knownWorkerId = workerId;
    reportToLauncher?.({ event: 'joined', workerId, device });
  }
}

function chosenShare(): number {
  return Number(document.querySelector<HTMLInputElement>('input[name=share]:checked')?.value ?? 1);
}

async function join(): Promise<void> {
  showProblem(undefined);
  showPhase('starting', 'Starting', 'Loading the compute thread.');
  // A fresh thread each time: whatever a broken one held is gone with it.
  compute?.thread.terminate();
  const thread = new Worker(new URL('../runtime/compute.browser.ts', import.meta.url), { type: 'module' });
  const api = wrap<ComputeApi>(thread);
  compute = { api, thread };
  const { port1, port2 } = new MessageChannel();
  const stopServing = servePeerEndpoint(port1);
  try {
    const crash = new Promise<never>((_, reject) => {
      thread.onerror = (event) =>
        reject(new Error(event.message || 'the compute thread could not be loaded'));
    });
    const start = {
      url: new URL('.', location.href).href.slice(0, -1),
      token: fragment.get('token') ?? undefined,
      name: settings.get('name') ?? undefined,
      device: isDeviceWish(wish) ? wish : 'auto',
      share: chosenShare(),
    } as const;
    // Some people switch WebRTC off, so that their address stays hidden; the relay still works then.
    const signalling = 'RTCPeerConnection' in globalThis ? transfer(port2, [port2]) : undefined;
    showEnd(await Promise.race([api.run(start, signalling, proxy(onStatus)), crash]));
  } catch (error) {
    const words = messageOf(error);
    showPhase('failed', 'Something broke', 'The tab left the group; the others go on without it.');
    showProblem(`The compute thread failed: ${words}`);
    reportToLauncher?.({ event: 'ended', kind: 'refused', reason: words });
  } finally {
    stopServing();
    thread.terminate();
    knownWorkerId = undefined;
  }
}

function showEnd({ kind, reason }: WorkerEnd): void {
  if (kind === 'refused') {
    showPhase('failed', 'Not let in', 'The coordinator did not accept this tab.');
    showProblem(reason);
  } else if (kind === 'sentAway') {
    showPhase('ended', 'Finished', `The coordinator ended it: ${reason}. Thank you.`);
  } else {
    showPhase('ended', 'Left', 'Nothing runs here any more. You can close the tab, or join again.');
  }
  reportToLauncher?.({ event: 'ended', kind, reason });
}

const leave = (): void => void compute?.api.leave('the volunteer left');

joinButton.addEventListener('click', () => void join());
pauseButton.addEventListener('click', () => void compute?.api.pause());
resumeButton.addEventListener('click', () => void compute?.api.resume());
leaveButton.addEventListener('click', leave);
document.addEventListener('change', () => void compute?.api.lendShare(chosenShare()));
// A launcher's way of pressing Leave.
addEventListener('tabgrad-leave', leave);
// Back from sleep, from another network or from the back-forward cache: don't wait for the next attempt.
for (const event of ['online', 'pageshow', 'focus']) {
  addEventListener(event, () => void compute?.api.retryNow());
}

if (settings.get('auto') === '1') void join();
