// Entry of the page's script: leaves the player where page.evaluate finds it.

import { scenarioPlayer } from './scenarioPlayer.ts';

Object.assign(globalThis, { openPlayer: () => scenarioPlayer(navigator.gpu) });
