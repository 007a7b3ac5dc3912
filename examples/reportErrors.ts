// Imported first by the scripts here: a coded error ends them with its message, as it ends the command, and not with a stack.

import { TabgradError } from '../coordinator/index.ts';

process.once('uncaughtException', (error) => {
  console.error(error instanceof TabgradError ? `error ${error.code}: ${error.message}` : error);
  process.exit(1);
});
