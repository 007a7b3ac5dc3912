// Entry in Deno.

import { servePlayer } from '../../setup/servePlayer.deno.ts';
import { scenarioPlayer } from './scenarioPlayer.ts';

await servePlayer(await scenarioPlayer(navigator.gpu));
