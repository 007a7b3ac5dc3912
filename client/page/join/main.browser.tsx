// The entry of the volunteer's page. `device` and `name` are settings, in the query or in the fragment; `token` in the
// fragment alone, which no server sees; `auto=1` joins without a click (tabs that are opened by a launcher on the same
// machine).

import { render } from 'preact';
import { Throttle } from '../../../shared/throttle.ts';
import { isDeviceWish } from '../../runtime/deviceChoice.ts';
import { lookForDevice, unknownOffer } from './deviceOffer.browser.ts';
import { JoinPage, stateWords } from './joinPage.browser.tsx';
import { Lending } from './lending.browser.ts';
import { fetchProject, type Project } from './project.browser.ts';

/** Reports come with every round; nobody reads faster. */
const DRAW_EVERY_MS = 200;

const fragment = new URLSearchParams(location.hash.slice(1));
const settings = new URLSearchParams([...new URLSearchParams(location.search), ...fragment]);
const asked = settings.get('device');
const device = isDeviceWish(asked) ? asked : 'auto';
const base = new URL('.', location.href).href.slice(0, -1);
const token = fragment.get('token') ?? undefined;
const joinLink = `${base}/join${token === undefined ? '' : `#${new URLSearchParams({ token }).toString()}`}`;

let project: Project = {};
let offer = unknownOffer;
let isPlanned = false;
const drawing = new Throttle(DRAW_EVERY_MS, () => performance.now());

function draw(): void {
  isPlanned = false;
  drawing.done();
  const { view } = lending;
  document.title = `${stateWords(view).title} · ${project.title ?? 'tabgrad'}`;
  const root = document.getElementById('page');
  if (root) render(<JoinPage {...{ project, offer, view, lending, joinLink }} />, root);
}

/** Draws soon, and not more often than anybody can follow. */
function drawSoon(): void {
  if (isPlanned) return;
  isPlanned = true;
  setTimeout(draw, drawing.isDue ? 0 : DRAW_EVERY_MS);
}

const lending = new Lending(
  {
    url: base,
    token,
    name: settings.get('name') ?? undefined,
    device,
    isLaunched: settings.get('auto') === '1',
  },
  drawSoon,
);
// A launcher's way of pressing Leave.
addEventListener('tabgrad-leave', () => lending.leave());

draw();
void fetchProject(base).then((told) => {
  project = told;
  drawSoon();
});
void lookForDevice(device).then((found) => {
  offer = found;
  drawSoon();
});
