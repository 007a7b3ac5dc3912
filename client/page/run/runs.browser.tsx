// The runs, of which several can be ticked and compared, or the page of those that the address names.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunPageProps } from './runPage.browser.tsx';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { runEn } from '../words/runEn.ts';
import { ConfusionCard } from './confusionCard.browser.tsx';
import { RunTable } from './runTable.browser.tsx';
import { addressOf, type ViewProps } from '../owner/view.ts';

/** Lines that can be told apart in a chart. */
const MAX_COMPARED = 12;
const words = runEn.compare;

/** "#/runs", "#/runs/ID" and "#/runs/ID/ID…". */
export function Runs({ api, act, look, ids }: ViewProps): JSX.Element {
  const Page = useRunPage(ids.length > 0);
  const listed = look.status.runs;
  const runIds = [...new Set(ids)];
  if (runIds.length === 0) return <RunList runs={listed} />;
  return (
    <>
      {runIds.length > MAX_COMPARED && <p class="problem">{words.most(MAX_COMPARED)}</p>}
      {Page ? (
        <Page
          api={api}
          act={act}
          listed={listed}
          runIds={runIds.slice(0, MAX_COMPARED)}
          addressOf={(runId) => addressOf('runs', runId)}
          ending={(runId) => <ConfusionCard api={api} runId={runId} />}
        />
      ) : (
        <p class="note">{runEn.load}</p>
      )}
    </>
  );
}

function RunList({ runs }: { readonly runs: ViewProps['look']['status']['runs'] }): JSX.Element {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const pick = (runId: string): void => {
    const next = new Set(picked);
    if (!next.delete(runId)) next.add(runId);
    setPicked(next);
  };
  const isMany = picked.size > MAX_COMPARED;
  return (
    <Card title={dashboardEn.titles.runs} id="runs-title">
      <RunTable runs={runs} picked={picked} onPick={pick} />
      {runs.length > 1 && (
        <div class="controls">
          <button
            id="compare"
            type="button"
            disabled={picked.size < 2 || isMany}
            onClick={() => location.assign(addressOf('runs', ...picked))}
          >
            {words.button(picked.size)}
          </button>
          <p class="note">{isMany ? words.most(MAX_COMPARED) : words.hint}</p>
        </div>
      )}
    </Card>
  );
}

/** Loaded with the first run that is looked at. */
function useRunPage(isWanted: boolean): ((props: RunPageProps) => JSX.Element) | undefined {
  const [page, setPage] = useState<{ View: (props: RunPageProps) => JSX.Element }>();
  useEffect(() => {
    if (isWanted) void import('./runPage.browser.tsx').then(({ RunPage }) => setPage({ View: RunPage }));
  }, [isWanted]);
  return page?.View;
}
