// Entry in Deno.

import { servePlayer } from '../../../setup/servePlayer.deno.ts';
import { opPlayer } from './opPlayer.ts';

await servePlayer(await opPlayer(navigator.gpu));
