// The registry of commands: a command is one file in commands/ and one line here.

import type { Command } from './command.ts';
import { logs } from './commands/logs.ts';
import { predict } from './commands/predict.ts';
import { runs } from './commands/runs.ts';
import { serve } from './commands/serve.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { train } from './commands/train.ts';
import { token } from './commands/token.ts';
import { tune } from './commands/tune.ts';
import { up } from './commands/up.ts';
import { worker } from './commands/worker.ts';
import { workers } from './commands/workers.ts';

export const commands: readonly Command[] = [
  up,
  worker,
  train,
  tune,
  predict,
  serve,
  status,
  runs,
  logs,
  stop,
  workers,
  token,
];
