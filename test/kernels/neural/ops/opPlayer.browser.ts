// Entry of the page's script.

import { opPlayer } from './opPlayer.ts';

Object.assign(globalThis, { openPlayer: () => opPlayer(navigator.gpu) });
