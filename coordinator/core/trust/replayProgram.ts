// The thread that does the rounds of one run once more.

import { parentPort, workerData } from 'node:worker_threads';
import { readTrainSpec } from '../../../shared/gbdt/readTrainSpec.ts';
import type { ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { LocalReplayer } from './localReplayer.ts';
import type { ReplayAnswer, ReplayAsk, ReplayRequest } from './replayMessages.ts';

const replayer = new LocalReplayer(readTrainSpec(workerData));

async function carryOut(request: ReplayRequest): Promise<{ readonly rounds?: readonly ReplayedRound[] }> {
  switch (request.op) {
    case 'add':
      await replayer.add(request.shard, request.bytes);
      return {};
    case 'follow':
      await replayer.follow(request.rounds);
      return {};
    case 'restore':
      await replayer.restore();
      return {};
    case 'check':
      break;
  }
  return { rounds: await replayer.check(request.task) };
}

async function answer({ id, request }: ReplayAsk): Promise<void> {
  const tell = (told: ReplayAnswer): void => parentPort?.postMessage(told);
  try {
    tell({ id, ...(await carryOut(request)) });
  } catch (error) {
    tell({ id, error: messageOf(error) });
  }
}

parentPort?.on('message', (ask: ReplayAsk) => void answer(ask));
