// The links of this tab to the others of its group.

import type { JSX } from 'preact';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { bytes, milliseconds } from '../words/statusWords.ts';
import type { LendingView } from './lending.browser.ts';

/** The links to the others of the group, as a small graph and as a table. */
export function PeersCard({ view }: { readonly view: LendingView }): JSX.Element | null {
  const session = view.status?.session;
  const links = session?.state === 'training' ? session.links : [];
  if (links.length === 0) return null;
  const words = en.peers;
  const relayed = links.filter(({ path }) => path === 'relay').length;
  const health =
    relayed === 0
      ? words.health.direct
      : relayed === links.length
        ? words.health.relayed
        : words.health.mixed(relayed);
  return (
    <Card title={words.title} id="peers-title">
      <p class="note" id="health">
        {health}
      </p>
      <PeerGraph
        peers={links.map(({ peer, path }) => ({
          peer,
          isRelayed: path === 'relay',
          latency: latencyWords(view, peer, path),
        }))}
      />
      <Scroll>
        <table id="links">
          <thead>
            <tr>
              <th scope="col">{words.worker}</th>
              <th scope="col">{words.path}</th>
              <th scope="col" class="number">
                {words.latency}
              </th>
              <th scope="col" class="number">
                {words.speed}
              </th>
              <th scope="col" class="number">
                {words.sent}
              </th>
              <th scope="col" class="number">
                {words.received}
              </th>
            </tr>
          </thead>
          <tbody>
            {links.map(({ peer, path, bytesSent, bytesReceived }) => (
              <tr key={peer}>
                <td>{peer}</td>
                <td>{pathWords(view, peer, path)}</td>
                <td class="number">{latencyWords(view, peer, path)}</td>
                <td class="number">{bytes(view.speeds.of(peer))}/s</td>
                <td class="number">{bytes(bytesSent)}</td>
                <td class="number">{bytes(bytesReceived)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function pathWords({ linkTimes }: LendingView, peer: string, path: string): string {
  const { relayed, direct, routes } = en.peers;
  if (path === 'relay') return relayed;
  const route = linkTimes.get(peer)?.route;
  return route === undefined ? direct : routes[route];
}

/** There and back. Over the relay both ends have their way to the coordinator, of which one is known here. */
function latencyWords({ linkTimes, status }: LendingView, peer: string, path: string): string {
  const toCoordinatorMs = status?.roundTripMs;
  if (path === 'relay') return toCoordinatorMs === undefined ? '–' : `≈ ${milliseconds(2 * toCoordinatorMs)}`;
  const time = linkTimes.get(peer);
  return time ? milliseconds(time.roundTripMs) : '–';
}

interface Peer {
  readonly peer: string;
  readonly isRelayed: boolean;
  readonly latency: string;
}

const SHOWN_PEERS = 24;
/** More would stand over one another. */
const SHOWN_LATENCIES = 8;

/** This tab in the middle, peers around it; relayed links are dashed. The table says the same. */
function PeerGraph({ peers }: { readonly peers: readonly Peer[] }): JSX.Element {
  const shown = peers.slice(0, SHOWN_PEERS);
  const placed = shown.map((peer, i) => {
    const angle = (2 * Math.PI * i) / shown.length - Math.PI / 2;
    return { ...peer, x: 110 + 84 * Math.cos(angle), y: 70 + 54 * Math.sin(angle) };
  });
  return (
    <svg class="peers" viewBox="0 0 220 140" aria-hidden="true">
      {placed.map(({ peer, isRelayed, x, y }) => (
        <line key={peer} x1={110} y1={70} x2={x} y2={y} class={isRelayed ? 'relayed' : undefined} />
      ))}
      {placed.map(({ peer, x, y }) => (
        <circle key={peer} cx={x} cy={y} r={5} />
      ))}
      {placed.length <= SHOWN_LATENCIES &&
        placed.map(({ peer, latency, x, y }) => (
          <text key={peer} x={(110 + 2 * x) / 3 + 6} y={(70 + 2 * y) / 3 - 3}>
            {latency}
          </text>
        ))}
      <circle class="me" cx={110} cy={70} r={9} />
      <text x={110} y={92} text-anchor="middle">
        {en.peers.you}
      </text>
    </svg>
  );
}
