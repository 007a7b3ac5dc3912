import { fileURLToPath } from 'node:url';
import { openDenoPlayer } from '../../../setup/runtimePlayer.ts';
import { opSuite } from './opSuite.ts';

opSuite(
  'ops in Deno',
  () => openDenoPlayer(fileURLToPath(import.meta.resolve('./opPlayer.deno.ts')), 300_000),
  3,
  2,
);
