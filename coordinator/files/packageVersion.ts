// The version of the installed package, read from its package.json, which lies above this file in the source tree
// (coordinator/cli) and above the bundle (dist/node) alike.

import { readFileSync } from 'node:fs';
import { z } from 'zod';

const manifest = z.object({ name: z.literal('tabgrad'), version: z.string() });

export function packageVersion(): string {
  return manifest.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))
    .version;
}
