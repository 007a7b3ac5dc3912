// One dataset: what its columns hold, where its shards are, and which runs used it.

import type { JSX } from 'preact';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { DatasetAnswer } from '../../../shared/api/datasetAnswers.ts';
import { Card, Facts } from '../design/parts.browser.tsx';
import { dataEn } from '../words/dataEn.ts';
import { bytes, count, duration } from '../words/statusWords.ts';
import { ColumnTable } from './columnTable.browser.tsx';
import { ShardTable } from './shardTable.browser.tsx';
import { usePolled } from '../owner/usePolled.browser.ts';
import { addressOf, type ViewProps } from '../owner/view.ts';

/** Only where its shards are changes, and columns may be many. */
const EVERY_MS = 10_000;

export function DatasetPage({ api, ids: [datasetId = ''] }: ViewProps): JSX.Element {
  const { answer, problem } = usePolled<DatasetAnswer>(
    api,
    `/api/v1/datasets/${encodeURIComponent(datasetId)}`,
    EVERY_MS,
  );
  return (
    <>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {answer && <Described dataset={answer} />}
    </>
  );
}

function Described({ dataset }: { readonly dataset: DatasetAnswer }): JSX.Element {
  const { name, rows, sizeBytes, shardCount, columnCount, summary, runs, runCount } = dataset;
  return (
    <>
      <section class="card" aria-labelledby="dataset-title">
        <h2 id="dataset-title">{visibleLine(name)}</h2>
        {!summary && <p class="note">{dataEn.undescribed}</p>}
        <Facts
          facts={[
            { term: dataEn.rows, value: count(rows) },
            ...(columnCount === undefined ? [] : [{ term: dataEn.columns, value: count(columnCount) }]),
            { term: dataEn.size, value: bytes(sizeBytes) },
            { term: dataEn.shards, value: count(shardCount) },
          ]}
        />
      </section>
      {summary && <ColumnTable summary={summary} />}
      <ShardTable {...dataset} />
      <Card title={dataEn.runs} id="dataset-runs-title">
        <ul class="plain" id="dataset-runs">
          {runs.map(({ runId, runName, usedAtMs }) => (
            <li key={runId}>
              <a href={addressOf('runs', runId)}>{visibleLine(runName)}</a>{' '}
              <small>{dataEn.ago(duration(Date.now() - usedAtMs))}</small>
            </li>
          ))}
          {runCount > runs.length && <li>{dataEn.more(count(runCount - runs.length))}</li>}
        </ul>
      </Card>
    </>
  );
}
