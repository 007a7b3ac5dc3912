// Who may not come back, and how to let them in again.

import type { JSX } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { BanSummary } from '../../../shared/api/workerAnswers.ts';
import { DataTable, useTable, type Column } from '../design/dataTable.browser.tsx';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { Act, Api } from '../owner/api.browser.ts';
import { useAsked } from '../owner/useAsked.browser.ts';

const words = dashboardEn.swarm;
const none: readonly BanSummary[] = [];

interface BansCardProps {
  readonly api: Api;
  readonly act: Act;
  readonly bans: readonly BanSummary[];
  readonly onChange: () => void;
}

export function BansCard({ api, act, bans, onChange }: BansCardProps): JSX.Element {
  const columns = useMemo(
    (): readonly Column<BanSummary>[] => [
      { key: 'value', title: words.banned, value: ({ value }) => value },
      { key: 'kind', title: words.kind, value: ({ kind }) => kind },
      { key: 'reason', title: words.reason, value: ({ reason }) => reason },
      {
        key: 'since',
        title: words.since,
        value: ({ bannedAtMs }) => bannedAtMs,
        text: ({ bannedAtMs }) => new Date(bannedAtMs).toLocaleString('en'),
      },
      {
        key: 'actions',
        title: words.actions,
        isUnsorted: true,
        value: () => words.lift,
        cell: ({ value }) => (
          <button
            type="button"
            class="small"
            aria-label={words.liftOf(value)}
            onClick={() => act(api.post('/api/v1/bans/lift', { value }).then(onChange))}
          >
            {words.lift}
          </button>
        ),
      },
    ],
    [api],
  );
  const table = useTable(columns, bans);
  const ban = (event: SubmitEvent & { currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const address = new FormData(form).get('address');
    if (typeof address !== 'string' || address.trim() === '') return;
    const asked = api.post('/api/v1/bans', {
      address: address.trim(),
      reason: words.bannedHere,
    });
    act(asked.then(() => (form.reset(), onChange())));
  };
  return (
    <Card title={words.bans} id="bans-title">
      {bans.length === 0 ? (
        <p class="note">{words.noBans}</p>
      ) : (
        <DataTable
          id="bans"
          label={words.bans}
          table={table}
          keyOf={({ kind, value }) => `${kind} ${value}`}
        />
      )}
      <form class="table-tools" onSubmit={ban}>
        <label>
          <span>{words.address}</span>
          <input name="address" required maxLength={100} placeholder="192.0.2.7" autocomplete="off" />
        </label>
        <button type="submit" class="small" title={words.banAddressNote}>
          {words.banAddress}
        </button>
      </form>
    </Card>
  );
}

/** The bans, and how to ask for them again. */
export function useBans(api: Api): readonly [readonly BanSummary[], () => void] {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ readonly bans: readonly BanSummary[] }>('/api/v1/bans', signal),
    [api],
  );
  const [answer, again] = useAsked(ask);
  return [answer?.bans ?? none, again];
}
