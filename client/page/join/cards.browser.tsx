// Cards about what was given, to whom this tab is linked, how others join, and what is kept here.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { forgetBlobs, keptBlobs } from '../../blobs/tabBlobCache.browser.ts';
import { Card, Facts } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { bytes, count, duration, milliseconds, numberWords } from '../words/statusWords.ts';
import type { Contribution } from './contribution.ts';
import type { LendingView } from './lending.browser.ts';

/** Names come from the run's owner. */
const SHOWN_METRICS = 8;

/** This visit beside all visits. */
export function ContributionCard({ view }: { readonly view: LendingView }): JSX.Element {
  const words = en.contribution;
  const rows: readonly [string, (given: Contribution) => string][] = [
    [words.rounds, ({ rounds }) => count(rounds)],
    [words.rows, ({ rows }) => count(rows)],
    [words.runs, ({ runs }) => count(runs)],
    [words.time, ({ workedMs }) => duration(workedMs)],
    [words.sent, ({ sentBytes }) => bytes(sentBytes)],
    [words.received, ({ receivedBytes }) => bytes(receivedBytes)],
  ];
  return (
    <Card title={words.title} id="contribution-title">
      <table id="contribution">
        <thead>
          <tr>
            <td />
            <th scope="col" class="number">
              {words.now}
            </th>
            <th scope="col" class="number">
              {words.ever}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([term, value]) => (
            <tr key={term}>
              <th scope="row">{term}</th>
              <td class="number">{value(view.now)}</td>
              <td class="number">{value(view.ever)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

/** What came of the last run. */
export function ResultCard({ view: { result } }: { readonly view: LendingView }): JSX.Element | null {
  if (!result) return null;
  const { outcome, round, metrics, given } = result;
  const words = en.result;
  const facts = Object.entries(metrics)
    .slice(0, SHOWN_METRICS)
    .map(([term, value]) => ({ term, value: numberWords(value) }));
  return (
    <Card title={words.titles[outcome]} id="result-title">
      <p id="result">
        {words.added(count(given.rounds), count(round), count(given.rows), duration(given.workedMs))}
      </p>
      {facts.length > 0 && <Facts facts={facts} />}
      <p class="note">{words.next}</p>
    </Card>
  );
}

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
      <div class="scroll">
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
      </div>
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
          <text key={peer} x={(110 + 2 * x) / 3} y={(70 + 2 * y) / 3 - 3} text-anchor="middle">
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

/** The link of this page, to copy or to scan. */
export function InviteCard({ link }: { readonly link: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  const [code, setCode] = useState<string>();
  return (
    <Card title={en.invite.title} id="invite-title">
      <p class="note">{en.invite.note}</p>
      <details
        class="invite"
        onToggle={({ currentTarget }) => {
          if (!currentTarget.open || code !== undefined) return;
          void import('./inviteCode.browser.ts').then(({ inviteCode }) => setCode(inviteCode(link)));
        }}
      >
        <summary>{en.invite.code}</summary>
        {code !== undefined && (
          <img id="invite-code" src={code} alt={en.invite.code} width={196} height={196} />
        )}
      </details>
      <button
        id="copy"
        type="button"
        onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true))}
      >
        {isCopied ? en.buttons.copied : en.buttons.copy}
      </button>
    </Card>
  );
}

/** What of the owner's data is kept in this browser, and how to be rid of it. */
export function CacheCard(): JSX.Element {
  const [kept, setKept] = useState<{ pieces: number; bytes: number }>();
  useEffect(() => {
    const look = (): void => void keptBlobs().then(setKept);
    look();
    const timer = setInterval(look, 5_000);
    return () => clearInterval(timer);
  }, []);
  const isEmpty = kept === undefined || kept.pieces === 0;
  return (
    <Card title={en.cache.title} id="cache-title">
      <p class="note" id="kept">
        {isEmpty ? en.cache.none : en.cache.note(bytes(kept.bytes), kept.pieces)}
      </p>
      {!isEmpty && (
        <button
          id="forget"
          type="button"
          onClick={() => void forgetBlobs().then(() => keptBlobs().then(setKept))}
        >
          {en.buttons.clear}
        </button>
      )}
    </Card>
  );
}
