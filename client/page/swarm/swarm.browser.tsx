// The workers: what each computes on, does and is known for, who is linked to whom, and what an owner can do about them.

/// <reference types="vite/client" />

import type { JSX } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import { DataTable, useTable } from '../design/dataTable.browser.tsx';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { ViewProps } from '../owner/view.ts';
import { BansCard, useBans } from './bansCard.browser.tsx';
import { InvitationsCard } from './invitationsCard.browser.tsx';
import { LinksCard } from './linksCard.browser.tsx';
import './swarm.css';
import { workerColumns } from './workerColumns.browser.tsx';
import { workerRow } from './workerRow.ts';

const words = dashboardEn.swarm;

export function Swarm({ api, act, look: { status, workers } }: ViewProps): JSX.Element {
  const [bans, askForBans] = useBans(api);
  const columns = useMemo(() => workerColumns(api, act, askForBans), [api]);
  const names = JSON.stringify(status.runs.map(({ runId, name }) => [runId, name]));
  const nameOf = useCallback(
    (runId: string): string => new Map(JSON.parse(names) as [string, string][]).get(runId) ?? runId,
    [names],
  );
  const rows = useMemo(() => workers.map((worker) => workerRow(worker, nameOf)), [workers, nameOf]);
  const table = useTable(columns, rows);
  return (
    <>
      <Card title={dashboardEn.titles.swarm} id="swarm-title">
        {rows.length === 0 ? (
          <p class="note">{dashboardEn.overview.noWorkers}</p>
        ) : (
          <DataTable
            id="workers"
            label={dashboardEn.titles.swarm}
            table={table}
            keyOf={({ workerId }) => workerId}
            example={words.filterExample}
          />
        )}
      </Card>
      <LinksCard api={api} isAnyInRun={workers.some(({ runId }) => runId !== undefined)} nameOf={nameOf} />
      <InvitationsCard api={api} act={act} />
      <BansCard api={api} act={act} bans={bans} onChange={askForBans} />
    </>
  );
}
