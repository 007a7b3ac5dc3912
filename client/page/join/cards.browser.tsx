// Cards about what was given, what came of it, how others join, and what is kept here.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { forgetBlobs, keptBlobs } from '../../blobs/tabBlobCache.browser.ts';
import { Card, Facts } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { bytes, count, duration, numberWords } from '../words/statusWords.ts';
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
        {words.added(
          count(given.rounds),
          count(round),
          count(given.rows),
          duration(Math.max(1000, given.workedMs)),
        )}
      </p>
      {facts.length > 0 && <Facts facts={facts} />}
      <p class="note">{words.next}</p>
    </Card>
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
