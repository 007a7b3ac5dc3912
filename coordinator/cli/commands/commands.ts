// The registry of commands: a command is one file in commands/ and one line here.

import type { Command } from '../command.ts';
import { dump } from './dump.ts';
import { init } from './init.ts';
import { invite } from './invite.ts';
import { logs } from './logs.ts';
import { plot } from './plot.ts';
import { predict } from './predict.ts';
import { runs } from './runs.ts';
import { serve } from './serve.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { train } from './train.ts';
import { token } from './token.ts';
import { tune } from './tune.ts';
import { up } from './up.ts';
import { worker } from './worker.ts';
import { workers } from './workers.ts';

export const commands: readonly Command[] = [
  init,
  up,
  worker,
  train,
  tune,
  predict,
  plot,
  dump,
  serve,
  status,
  runs,
  logs,
  stop,
  workers,
  invite,
  token,
];
