// The registry of commands: a command is one file in commands/ and one line here.

import type { Command } from './command.ts';
import { up } from './commands/up.ts';
import { worker } from './commands/worker.ts';

export const commands: readonly Command[] = [up, worker];
