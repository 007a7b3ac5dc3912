// One tuning experiment: how it stands, its trials in pictures and in a table that filters them, and a way to stop it.

import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { SILENT_MS, type RecordedExperiment } from '../../../shared/api/experiment.ts';
import { withColumn } from '../design/dataRows.ts';
import { DataTable, useTable } from '../design/dataTable.browser.tsx';
import { Card, Facts, Progress } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { count } from '../words/statusWords.ts';
import type { ViewProps } from '../owner/view.ts';
import { CurvesPlot } from './curvesPlot.browser.tsx';
import { statusWords } from './experimentTable.browser.tsx';
import { ParallelPlot } from './parallelPlot.browser.tsx';
import { ResumeCard } from './resumeCard.browser.tsx';
import { ScorePlot } from './scorePlot.browser.tsx';
import { scoreWords, trialColumns } from './trialColumns.browser.tsx';
import { searchedPaths, strengthsOf } from './trials.ts';
import { useExperiment, type WholeExperiment } from './useExperiment.browser.ts';

const words = dashboardEn.tuning;

export function ExperimentPage(props: ViewProps): JSX.Element {
  const { api, look, ids } = props;
  const [id = ''] = ids;
  // Undefined for one that is older than the list of experiments.
  const summary = look.status.experiments.find(({ experimentId }) => experimentId === id);
  const { whole, problem } = useExperiment(api, id, summary?.status === 'running');
  return (
    <>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {whole && <Experiment {...props} whole={whole} summary={summary ?? whole.experiment} />}
    </>
  );
}

interface ExperimentProps extends ViewProps {
  readonly whole: WholeExperiment;
  /** The last that is known of it as a whole. */
  readonly summary: RecordedExperiment;
}

function Experiment({ api, act, whole, summary }: ExperimentProps): JSX.Element {
  const { experiment, curves } = whole;
  const { experimentId, trials, metric, mode = 'max' } = experiment;
  const isRunning = summary.status === 'running';
  const isSilent = isRunning && (summary.silentMs ?? 0) > SILENT_MS;
  const pathsNow = searchedPaths(trials);
  const paths = useMemo(() => pathsNow, [pathsNow.join('\n')]);
  const columns = useMemo(
    () =>
      trialColumns({
        api,
        act,
        experimentId,
        paths,
        isRunning: isRunning && !isSilent,
      }),
    [api, experimentId, paths, isRunning, isSilent],
  );
  const table = useTable(columns, trials);
  const { filter, setFilter } = table;
  const found = useMemo(() => new Set(table.found.map(({ number }) => number)), [table.found]);
  const strengths = useMemo(() => strengthsOf(trials, mode), [trials, mode]);
  const pick = (number: number): void => setFilter(withColumn(filter, 'trial', [`=${number}`]));
  return (
    <>
      <Head api={api} act={act} summary={summary} isSilent={isSilent} shown={trials.length} />
      {(isSilent || summary.status === 'stopped' || summary.status === 'failed') && (
        <ResumeCard folder={summary.folder} />
      )}
      {metric !== undefined && strengths.size > 0 && (
        <>
          <Card title={words.scores(metric)} id="scores-title">
            <ScorePlot trials={trials} found={found} mode={mode} onPick={pick} />
          </Card>
          <Card title={words.curves(metric)} id="curves-title">
            <CurvesPlot curves={curves} trials={trials} found={found} strengths={strengths} onPick={pick} />
          </Card>
          <Card title={words.parallel} id="parallel-title">
            <ParallelPlot
              trials={trials}
              paths={paths}
              found={found}
              strengths={strengths}
              scoreTitle={metric}
              onMark={(key, comparisons) => setFilter(withColumn(filter, key, comparisons))}
            />
          </Card>
        </>
      )}
      <Card title={words.trials} id="trials-title">
        {trials.length === 0 ? (
          <p class="note">{words.noTrials}</p>
        ) : (
          <DataTable
            id="trials"
            label={words.trials}
            table={table}
            keyOf={({ number }) => number}
            example={words.filterExample}
          />
        )}
      </Card>
    </>
  );
}

interface HeadProps extends Pick<ViewProps, 'api' | 'act'> {
  readonly summary: RecordedExperiment;
  readonly isSilent: boolean;
  /** Trials that the page has. */
  readonly shown: number;
}

function Head({ api, act, summary, isSilent, shown }: HeadProps): JSX.Element {
  const { experimentId, name, metric, mode, trialCount, counts = {}, best, folder, isStopWished } = summary;
  const ended = (counts['finished'] ?? 0) + (counts['errored'] ?? 0);
  return (
    <section class="card" aria-labelledby="experiment-title">
      <h2 id="experiment-title">{name}</h2>
      <p class="note" id="experiment-status">
        {statusWords(summary)}
        {isSilent && ` ${words.silentNote}`}
      </p>
      <Progress
        fraction={ended / Math.max(1, trialCount)}
        words={words.countsOf(count(trialCount), counts)}
      />
      <Facts
        facts={[
          {
            term: words.metric,
            value: metric === undefined ? words.noMetric : `${metric} ${mode ?? ''}`,
          },
          ...(best
            ? [
                {
                  term: words.bestTrial,
                  value: words.bestOf(scoreWords(best.score), best.number),
                },
              ]
            : []),
          { term: words.folder, value: folder },
          ...(shown < trialCount
            ? [
                {
                  term: words.shown,
                  value: words.firstOf(count(shown), count(trialCount)),
                },
              ]
            : []),
        ]}
      />
      {summary.status === 'running' && !isSilent && (
        <div class="controls">
          <button
            id="stop-experiment"
            type="button"
            disabled={isStopWished === true}
            title={words.stopNote}
            onClick={() => act(api.post(`/api/v1/experiments/${experimentId}/stop`, {}))}
          >
            {isStopWished === true ? words.stopping : words.stop}
          </button>
          <span class="note">{words.stopNote}</span>
        </div>
      )}
    </section>
  );
}
