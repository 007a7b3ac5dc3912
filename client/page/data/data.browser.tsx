// The datasets that runs were given, or one of them.

import type { JSX } from 'preact';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { DatasetsAnswer, RecordedDataset } from '../../../shared/api/datasetAnswers.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { dataEn } from '../words/dataEn.ts';
import { bytes, count, duration } from '../words/statusWords.ts';
import { Command, coordinatorUrl } from '../owner/command.browser.tsx';
import './data.css';
import { DatasetPage } from './datasetPage.browser.tsx';
import { usePolled } from '../owner/usePolled.browser.ts';
import { addressOf, type ViewProps } from '../owner/view.ts';

/** Runs of a dataset that are named in the list. */
const SHOWN_RUNS = 3;

/** "#/data" and "#/data/ID". */
export function Data(props: ViewProps): JSX.Element {
  return props.ids.length > 0 ? <DatasetPage {...props} /> : <DatasetList {...props} />;
}

function DatasetList({ api }: ViewProps): JSX.Element {
  const { answer, problem } = usePolled<DatasetsAnswer>(api, '/api/v1/datasets');
  return (
    <Card title={dataEn.title} id="data-title">
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {answer && (answer.datasets.length === 0 ? <None /> : <DatasetTable datasets={answer.datasets} />)}
    </Card>
  );
}

function None(): JSX.Element {
  return (
    <>
      <p class="note">{dataEn.none}</p>
      <Command text={`npx tabgrad train CONFIG --url ${coordinatorUrl()}`} label={dataEn.none} />
    </>
  );
}

function DatasetTable({ datasets }: { readonly datasets: readonly RecordedDataset[] }): JSX.Element {
  return (
    <Scroll>
      <table id="datasets">
        <thead>
          <tr>
            <th scope="col">{dataEn.name}</th>
            {[dataEn.rows, dataEn.columns, dataEn.size, dataEn.shards].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
            <th scope="col">{dataEn.runs}</th>
            <th scope="col">{dataEn.used}</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset) => (
            <tr key={dataset.datasetId}>
              <th scope="row">
                <a href={addressOf('data', dataset.datasetId)}>{visibleLine(dataset.name)}</a>
              </th>
              <td class="number">{count(dataset.rows)}</td>
              <td class="number">{dataset.columnCount === undefined ? '' : count(dataset.columnCount)}</td>
              <td class="number">{bytes(dataset.sizeBytes)}</td>
              <td class="number">{count(dataset.shardCount)}</td>
              <td>
                <Uses dataset={dataset} />
              </td>
              <td>{usedWords(dataset)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Uses({ dataset: { runs, runCount } }: { readonly dataset: RecordedDataset }): JSX.Element {
  const shown = runs.slice(0, SHOWN_RUNS);
  return (
    <>
      {shown.map(({ runId, runName }) => (
        <a key={runId} class="block" href={addressOf('runs', runId)}>
          {visibleLine(runName)}
        </a>
      ))}
      {runCount > shown.length && <small>{dataEn.more(count(runCount - shown.length))}</small>}
    </>
  );
}

function usedWords({ runs: [last] }: RecordedDataset): string {
  return last ? dataEn.ago(duration(Date.now() - last.usedAtMs)) : '';
}
