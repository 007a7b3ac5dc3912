// Several runs beside one another: a table of their last and best values, and where they were asked for differently.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, duration, numberWords } from '../words/statusWords.ts';
import { styleOf } from './chartModel.ts';
import { metricColumns, sortedBy, type ComparedColumn, type ComparedRun } from './comparedRuns.ts';
import { configDifferences } from './configRows.ts';
import { endOf } from './headCard.browser.tsx';
import { LineKey } from './lineKey.browser.tsx';
import type { ShownRun } from './useRunHistories.browser.ts';

const words = runEn.compare;

interface CompareProps {
  readonly runs: readonly ShownRun[];
  /** One a run, each another. */
  readonly names: readonly string[];
  readonly addressOf: (runId: string) => string;
}

interface Column extends ComparedColumn {
  readonly title: string;
  readonly text: (run: ComparedRun) => string;
}

export function CompareTable({ runs, names, addressOf }: CompareProps): JSX.Element {
  const [sorting, setSorting] = useState({ key: '', isDescending: false });
  const compared = runs.map((shown, at): ComparedRun => comparedOf(shown, names[at] ?? ''));
  const columns = columnsOf(runs);
  const column = columns.find(({ key }) => key === sorting.key);
  const rows = column ? sortedBy(compared, column, sorting.isDescending) : compared;
  return (
    <Card title={words.title} id="compare-title">
      <Scroll>
        <table id="compared">
          <thead>
            <tr>
              {columns.map(({ key, title }, at) => {
                const isSorted = key === sorting.key;
                return (
                  <th
                    key={key}
                    scope="col"
                    class={at < 2 ? undefined : 'number'}
                    aria-sort={isSorted ? (sorting.isDescending ? 'descending' : 'ascending') : undefined}
                  >
                    <button
                      type="button"
                      class="sort"
                      onClick={() => setSorting({ key, isDescending: isSorted && !sorting.isDescending })}
                    >
                      {title}
                      <span aria-hidden="true">{isSorted ? (sorting.isDescending ? ' ▾' : ' ▴') : ''}</span>
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
          <tbody>
            {rows.map((run) => (
              <tr key={run.runId}>
                <th scope="row">
                  <LineKey style={styleOf(compared.indexOf(run))} />{' '}
                  <a href={addressOf(run.runId)}>{run.name}</a>
                </th>
                {columns.slice(1).map(({ key, text }, at) => (
                  <td key={key} class={at < 1 ? undefined : 'number'}>
                    {text(run)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function comparedOf({ runId, summary, config, history }: ShownRun, name: string): ComparedRun {
  const last = history.events.at(-1)?.event;
  // The summary is as old as the page.
  const status = last?.type === 'end' ? last.status : summary.status;
  return {
    runId,
    name,
    status,
    rounds: Math.max(summary.rounds, (history.recent.at(-1)?.round ?? -1) + 1),
    tookMs: (status === 'running' ? Date.now() : endOf(config, history)) - config.startedAtMs,
    curve: (metric) => history.curve(metric),
  };
}

function columnsOf(runs: readonly ShownRun[]): Column[] {
  const metrics = [...new Set(runs.flatMap(({ history }) => history.names))].filter(
    (name) => name !== 'epoch',
  );
  return [
    { key: 'name', title: words.run, value: ({ name }) => name, text: ({ name }) => name },
    { key: 'status', title: words.status, value: ({ status }) => status, text: ({ status }) => status },
    {
      key: 'rounds',
      title: words.rounds,
      value: ({ rounds }) => rounds,
      text: ({ rounds }) => count(rounds),
    },
    { key: 'took', title: words.took, value: ({ tookMs }) => tookMs, text: ({ tookMs }) => duration(tookMs) },
    ...metricColumns(metrics).map(({ key, metric, kind, value, at }) => ({
      key,
      title: kind === 'last' ? words.last(metric) : words.best(metric),
      value,
      text: (run: ComparedRun) => {
        const [found, round] = [value(run), at?.(run)];
        if (typeof found !== 'number') return '';
        return kind === 'last' || round === undefined
          ? numberWords(found)
          : runEn.curves.at(numberWords(found), count(round));
      },
    })),
  ];
}

export function DifferencesCard({ runs, names }: Omit<CompareProps, 'addressOf'>): JSX.Element {
  const differences = configDifferences(runs.map(({ config }) => config.config));
  return (
    <Card title={words.differences} id="differences-title">
      {differences.length === 0 ? (
        <p class="note">{words.same}</p>
      ) : (
        <Scroll>
          <table id="differences">
            <thead>
              <tr>
                <th scope="col">{words.option}</th>
                {names.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differences.map(({ path, values, stands }) => (
                <tr key={path}>
                  <th scope="row">{path}</th>
                  {values.map((value, at) => (
                    <td key={names[at]}>
                      {stands[at] === true ? <mark>{value ?? '–'}</mark> : (value ?? '–')}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}
