// What each worker computed and exchanged in the last rounds, as stacked bars, and who holds up the others.

import type { JSX } from 'preact';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { bytes, count, numberWords, percent } from '../words/statusWords.ts';
import type { RunHistory } from './runHistory.ts';
import { pacesOf, verdictOf, type Verdict, type WorkerPace } from './stragglers.ts';

const words = runEn.pace;
const MAX_WORKERS = 64;
const ms = (value: number): string => `${numberWords(value)} ms`;

export function PaceCard({ history }: { readonly history: RunHistory }): JSX.Element | null {
  const group = history.events.findLast(({ event }) => event.type === 'group')?.event;
  const rows = new Map(
    group?.type === 'group' ? group.workers.map((worker) => [worker.workerId, worker.rows]) : [],
  );
  const paces = pacesOf(history.recent, rows);
  if (paces.length === 0) return null;
  const longest = Math.max(...paces.map(({ computeMs, exchangeMs }) => computeMs + exchangeMs), 1e-9);
  return (
    <Card title={words.title} id="timings-title">
      <p class="note">{words.ofLast(history.recent.length)}</p>
      <p id="verdict">{verdictWords(verdictOf(paces))}</p>
      <p class="line-keys" aria-hidden="true">
        <span class="bar-key compute" /> {words.compute} <span class="bar-key exchange" /> {words.exchange}
      </p>
      <Scroll>
        <table id="timings">
          <thead>
            <tr>
              <th scope="col">{words.worker}</th>
              <td aria-hidden="true" />
              {[words.rows, words.compute, words.exchange, words.sent].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {paces.slice(0, MAX_WORKERS).map((pace) => (
              <Row key={pace.workerId} pace={pace} longest={longest} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function Row({ pace, longest }: { readonly pace: WorkerPace; readonly longest: number }): JSX.Element {
  const { workerId, rows, computeMs, exchangeMs, bytesSent } = pace;
  const width = (value: number): { width: string } => ({ width: `${(100 * value) / longest}%` });
  return (
    <tr>
      <th scope="row">{workerId}</th>
      <td class="bar-cell" aria-hidden="true">
        <span class="stacked">
          <span class="compute" style={width(computeMs)} />
          <span class="exchange" style={width(exchangeMs)} />
        </span>
      </td>
      <td class="number">{rows === undefined ? '' : count(rows)}</td>
      <td class="number">{ms(computeMs)}</td>
      <td class="number">{ms(exchangeMs)}</td>
      <td class="number">{bytes(bytesSent)}</td>
    </tr>
  );
}

function verdictWords(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'alone':
      return words.alone;
    case 'balanced':
      return words.balanced;
    case 'exchange':
      return words.slowExchange(verdict.workerId, percent(verdict.share));
    case 'compute':
      return words.slowCompute(
        verdict.workerId,
        ms(verdict.computeMs),
        ms(verdict.medianMs),
        percent(verdict.waits),
      );
    default:
      return verdict satisfies never;
  }
}
