// The entry of the volunteer's page. `device`, `threads` and `name` are settings, in the query or in the fragment; `token` in the
// fragment alone, which no server sees; `auto=1` joins without a click (tabs that are opened by a launcher on the same
// machine).

import { render } from 'preact';
import { MAX_THREADS } from '../../../shared/protocol/runtimes.ts';
import { Throttle } from '../../../shared/throttle.ts';
import { isDeviceWish } from '../../runtime/deviceChoice.ts';
import { lookForDevice, unknownOffer } from './deviceOffer.browser.ts';
import { readFragment, shortJoinLink } from './joinLink.ts';
import { JoinPage, stateWords } from './joinPage.browser.tsx';
import { Lending } from './lending.browser.ts';
import { fetchProject, type Project } from './project.browser.ts';

/** Reports come with every round; nobody reads faster. */
const DRAW_EVERY_MS = 200;

/** Between two looks for a coordinator that can't be reached. */
const LOOK_EVERY_MS = 5_000;

/** What a visitor waits for comes first. */
const KEEP_PAGE_AFTER_MS = 1_500;

const fragment = readFragment(location.hash);
const settings = new URLSearchParams([...new URLSearchParams(location.search), ...fragment]);
const asked = settings.get('device');
const device = isDeviceWish(asked) ? asked : 'auto';
const threads = threadsAsked(settings.get('threads'));
const base = new URL('.', location.href).href.slice(0, -1);
const token = fragment.get('token') ?? undefined;
const joinLink = shortJoinLink(base, token);
const isLaunched = settings.get('auto') === '1';

/** A number that makes no sense is none. */
function threadsAsked(text: string | null): number | undefined {
  const count = Number(text ?? '');
  return Number.isInteger(count) && count >= 1 && count <= MAX_THREADS ? count : undefined;
}

let project: Project = {};
let offer = unknownOffer;
let isOffline = false;
let nextLook: ReturnType<typeof setTimeout> | undefined;
let isPlanned = false;
const drawing = new Throttle(DRAW_EVERY_MS, () => performance.now());

function draw(): void {
  isPlanned = false;
  drawing.done();
  const { view } = lending;
  const props = { project, offer, view, lending, joinLink, isOffline, hasToken: token !== undefined };
  document.title = `${stateWords(props).title} · ${project.title ?? 'tabgrad'}`;
  lookAgain();
  const root = document.getElementById('page');
  if (root) render(<JoinPage {...props} />, root);
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
    threads,
    isLaunched,
  },
  drawSoon,
);
// A launcher's way of pressing Leave.
addEventListener('tabgrad-leave', () => lending.leave());

/** Asks what the owner says; a coordinator that can't be reached is asked again until it can. */
async function lookForCoordinator(isAgain = false): Promise<void> {
  clearTimeout(nextLook);
  const told = await fetchProject(base);
  // A tab that lent before it was loaded goes on: what it could not load is loaded now.
  if (told && isAgain && lending.view.phase === 'offline') return location.reload();
  project = told ?? project;
  isOffline = told === undefined;
  drawSoon();
}

/** Until the coordinator is there again. */
function lookAgain(): void {
  clearTimeout(nextLook);
  if (isOffline || lending.view.phase === 'offline')
    nextLook = setTimeout(() => void lookForCoordinator(true), LOOK_EVERY_MS);
}

/** The page answers from then on where the coordinator can't be reached. It is no part of the first look. */
function keepPage(): void {
  // Not there over plain http from another machine, and of no use to tabs that a launcher opens.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers || isLaunched) return;
  workers
    .register('./serviceWorker.js')
    .catch((error: unknown) => console.info(`No offline page: ${String(error)}`));
}

draw();
void lookForCoordinator();
addEventListener('online', () => nextLook !== undefined && void lookForCoordinator(true));
addEventListener('load', () => setTimeout(keepPage, KEEP_PAGE_AFTER_MS));
void lookForDevice(device).then((found) => {
  offer = found;
  drawSoon();
});
