import { fileURLToPath } from 'node:url';
import { openChromiumPlayer } from '../../../setup/runtimePlayer.ts';
import { opSuite } from './opSuite.ts';

opSuite(
  'ops in a Chromium tab',
  () => openChromiumPlayer(fileURLToPath(import.meta.resolve('./opPlayer.browser.ts'))),
  3,
  2,
);
