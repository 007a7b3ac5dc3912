// One run in depth, or several beside one another.

/// <reference types="vite/client" />

import type { JSX } from 'preact';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import { runEn as words } from '../words/runEn.ts';
import { CompareTable, DifferencesCard } from './compareCards.browser.tsx';
import { ConfigCard } from './configCard.browser.tsx';
import { CurvesCard } from './curvesCard.browser.tsx';
import { HeadCard } from './headCard.browser.tsx';
import { ImportanceCard } from './importanceCard.browser.tsx';
import { LayersCard } from './layersCard.browser.tsx';
import { MetricsCard } from './metricsCard.browser.tsx';
import { ModelCard } from './modelCard.browser.tsx';
import { PaceCard } from './paceCard.browser.tsx';
import type { Act, Api } from '../owner/api.browser.ts';
import { TimelineCard } from './timelineCard.browser.tsx';
import { TreeCard } from './treeCard.browser.tsx';
import { useRunHistories, type ShownRun } from './useRunHistories.browser.ts';
import './run.css';

export interface RunPageProps {
  readonly api: Api;
  readonly act: Act;
  /** As they stand now; older runs are not listed. */
  readonly listed: readonly RunSummary[];
  readonly runIds: readonly string[];
  readonly addressOf: (runId: string) => string;
  /** What the dashboard has to show of a run that is over, beside this. */
  readonly ending: (runId: string) => JSX.Element;
}

export function RunPage({ api, act, listed, runIds, addressOf, ending }: RunPageProps): JSX.Element {
  const { runs, problems, version } = useRunHistories(api, runIds);
  const [only, ...others] = runs;
  const summaryOf = ({ runId, summary }: ShownRun): RunSummary =>
    listed.find((run) => run.runId === runId) ?? summary;
  const current = runs.map((run) => ({ ...run, summary: summaryOf(run) }));
  const names = namesOf(current);
  return (
    <>
      {problems.map((problem) => (
        <p key={problem} class="problem" role="alert">
          {problem}
        </p>
      ))}
      {runs.length === 0 && problems.length === 0 && <p class="note">{words.load}</p>}
      {only && runIds.length === 1 && others.length === 0 && (
        <OneRun
          api={api}
          act={act}
          summary={summaryOf(only)}
          shown={only}
          version={version}
          ending={ending}
        />
      )}
      {runIds.length > 1 && runs.length > 0 && (
        <>
          <CurvesCard runs={current} names={names} version={version} isCompared />
          <CompareTable runs={current} names={names} addressOf={addressOf} />
          <DifferencesCard runs={current} names={names} />
        </>
      )}
    </>
  );
}

interface OneRunProps {
  readonly api: Api;
  readonly act: Act;
  readonly summary: RunSummary;
  readonly shown: ShownRun;
  readonly version: number;
  readonly ending: RunPageProps['ending'];
}

function OneRun({ api, act, summary, shown, version, ending }: OneRunProps): JSX.Element {
  const { runId, config, history } = shown;
  const isTrees = config.trainer === 'gbdt' && config.hasModel;
  return (
    <>
      <HeadCard api={api} act={act} summary={summary} shown={shown} />
      <CurvesCard runs={[shown]} names={[summary.name]} version={version} isCompared={false} />
      <MetricsCard history={history} />
      <PaceCard history={history} />
      {summary.status !== 'running' && ending(runId)}
      <TimelineCard history={history} />
      <ModelCard api={api} act={act} summary={summary} shown={shown} />
      {isTrees && <ImportanceCard api={api} runId={runId} />}
      {isTrees && <TreeCard api={api} runId={runId} />}
      {config.trainer === 'neural' && (
        <LayersCard
          api={api}
          runId={runId}
          isProfiled={history.events.some(({ event }) => event.type === 'profiled')}
        />
      )}
      <ConfigCard config={config} />
    </>
  );
}

/** Runs of one name are told apart by the beginning of their ids. */
function namesOf(runs: readonly Pick<ShownRun, 'runId' | 'summary'>[]): string[] {
  const names = runs.map(({ summary }) => summary.name);
  return runs.map(({ runId }, at) => {
    const name = names[at]!;
    return names.filter((other) => other === name).length === 1 ? name : `${name} (${runId.slice(0, 8)})`;
  });
}
