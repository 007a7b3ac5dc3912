// What happened in a run: who took part and when, as lanes, and every event in words.

import type { JSX } from 'preact';
import { Card } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, duration } from '../words/statusWords.ts';
import { eventWords } from './eventWords.ts';
import { timeWords } from './headCard.browser.tsx';
import { lanesOf, shareOf, type Lane, type Lanes } from './lanes.ts';
import type { RunHistory } from './runHistory.ts';

const words = runEn.timeline;
const MAX_LANES = 24;
/** Newest first; those before are in the API. */
const MAX_LINES = 300;

export function TimelineCard({ history }: { readonly history: RunHistory }): JSX.Element {
  const { events, leftOut } = history;
  const lanes = lanesOf(events, Date.now(), MAX_LANES);
  const lines = events.flatMap(({ sequence, atMs, event }) => {
    const text = eventWords(event);
    return text === undefined ? [] : [{ sequence, atMs, text }];
  });
  const hidden = leftOut + Math.max(0, lines.length - MAX_LINES);
  return (
    <Card title={words.title} id="timeline-title">
      {lanes && lanes.lanes.length > 0 && <LanesView lanes={lanes} />}
      {lines.length === 0 ? (
        <p class="note">{words.nothing}</p>
      ) : (
        <ol class="timeline" id="timeline" tabIndex={0} aria-labelledby="timeline-title">
          {lines
            .slice(-MAX_LINES)
            .toReversed()
            .map(({ sequence, atMs, text }) => (
              <li key={sequence}>
                {atMs !== null && <time dateTime={new Date(atMs).toISOString()}>{timeWords(atMs)}</time>}{' '}
                {text}
              </li>
            ))}
        </ol>
      )}
      {hidden > 0 && <p class="note">{words.leftOut(count(hidden))}</p>}
    </Card>
  );
}

function LanesView({ lanes }: { readonly lanes: Lanes }): JSX.Element {
  const { unit, from, to, leftOut } = lanes;
  const placeWords = (place: number): string =>
    unit === 'time' ? (place === from ? words.start : duration(place - from)) : String(place);
  const left = (place: number): { left: string } => ({ left: `${100 * shareOf(lanes, place)}%` });
  return (
    <>
      <ul class="lanes" id="lanes" aria-label={words.lanes}>
        {lanes.lanes.map((lane) => (
          <li key={lane.workerId} aria-label={laneWords(lane, placeWords)}>
            <span class="lane-name" title={lane.workerId}>
              {lane.workerId}
            </span>
            <span class="lane">
              {lane.spans.map((span) => (
                <span
                  key={span.from}
                  class={`span ${span.generation % 2 === 0 ? 'even' : 'odd'}`}
                  style={{
                    ...left(span.from),
                    width: `${100 * (shareOf(lanes, span.to) - shareOf(lanes, span.from))}%`,
                  }}
                  title={spanWords(lane, span, placeWords)}
                >
                  {span.generation}
                </span>
              ))}
              {lane.joined.map((at) => (
                <span key={at} class="mark joined" style={left(at)} title={words.joined} />
              ))}
              {lane.lost.map(({ at, reason }) => (
                <span key={at} class="mark lost" style={left(at)} title={reason} />
              ))}
            </span>
          </li>
        ))}
        {lanes.checkpoints.length > 0 && (
          <li aria-label={`${words.checkpoints}: ${lanes.checkpoints.length}`}>
            <span class="lane-name">{words.checkpoints}</span>
            <span class="lane">
              {lanes.checkpoints.map(({ at, rounds }) => (
                <span key={at} class="mark kept" style={left(at)} title={`${words.kept}: ${count(rounds)}`} />
              ))}
            </span>
          </li>
        )}
      </ul>
      <p class="lane-axis note" aria-hidden="true">
        <span>{placeWords(from)}</span>
        <span>{placeWords(to)}</span>
      </p>
      {leftOut > 0 && <p class="note">{words.more(leftOut)}</p>}
    </>
  );
}

function spanWords(
  { workerId }: Lane,
  { generation, from, to, rows }: Lane['spans'][number],
  placeWords: (place: number) => string,
): string {
  return words.span(workerId, String(generation), placeWords(from), placeWords(to), count(rows));
}

function laneWords(lane: Lane, placeWords: (place: number) => string): string {
  const spans = lane.spans.map((span) => spanWords(lane, span, placeWords));
  const lost = lane.lost.map(({ at, reason }) => `${words.left} ${placeWords(at)}: ${reason}`);
  return [...spans, ...lost].join('; ') || lane.workerId;
}
