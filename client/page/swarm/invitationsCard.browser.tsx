// Join links for so many workers and so long: who was invited, the links, and a new one.

import type { JSX } from 'preact';
import { useCallback, useMemo } from 'preact/hooks';
import type { InvitationSummary } from '../../../shared/api/invitationAnswers.ts';
import { ConfirmButton } from '../design/confirmButton.browser.tsx';
import { DataTable, useTable, type Column } from '../design/dataTable.browser.tsx';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { Act, Api } from '../owner/api.browser.ts';
import { useAsked } from '../owner/useAsked.browser.ts';

const words = dashboardEn.invitations;
const PATH = '/api/v1/invitations';
const HOUR_MS = 3_600_000;

export function InvitationsCard({ api, act }: { readonly api: Api; readonly act: Act }): JSX.Element {
  const ask = useCallback(
    (signal: AbortSignal) => api.get<{ readonly invitations: readonly InvitationSummary[] }>(PATH, signal),
    [api],
  );
  const [answer, askAgain] = useAsked(ask);
  const columns = useMemo(() => invitationColumns(api, act, askAgain), [api]);
  const invitations = answer?.invitations ?? [];
  const table = useTable(columns, invitations);
  return (
    <Card title={words.title} id="invitations-title">
      {invitations.length === 0 ? (
        <p class="note">{words.none}</p>
      ) : (
        <DataTable
          id="invitations"
          label={words.title}
          table={table}
          keyOf={({ invitationId }) => invitationId}
        />
      )}
      <InvitationForm api={api} act={act} onChange={askAgain} />
    </Card>
  );
}

function invitationColumns(api: Api, act: Act, onChange: () => void): readonly Column<InvitationSummary>[] {
  return [
    { key: 'name', title: words.name, value: ({ name, invitationId }) => name ?? invitationId },
    {
      key: 'used',
      title: words.joined,
      value: ({ used }) => used,
      text: ({ used, count }) => words.usedOf(used, count),
      isNumber: true,
    },
    {
      key: 'state',
      title: words.state,
      value: ({ state }) => state,
      text: ({ state, endsAtMs }) =>
        state === 'open' ? words.until(new Date(endsAtMs).toLocaleString('en')) : words.states[state],
    },
    {
      key: 'actions',
      title: words.actions,
      isUnsorted: true,
      value: () => words.copy,
      cell: ({ invitationId, joinUrl }) => (
        <>
          <button type="button" class="small" onClick={() => act(navigator.clipboard.writeText(joinUrl))}>
            {words.copy}
          </button>{' '}
          <ConfirmButton
            text={words.revoke}
            question={words.sureRevoke}
            onConfirm={() =>
              act(api.post(`${PATH}/${encodeURIComponent(invitationId)}/revoke`, {}).then(onChange))
            }
          />
        </>
      ),
    },
  ];
}

interface FormProps {
  readonly api: Api;
  readonly act: Act;
  readonly onChange: () => void;
}

function InvitationForm({ api, act, onChange }: FormProps): JSX.Element {
  const invite = (event: SubmitEvent & { currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const text = (field: string): string => {
      const value = fields.get(field);
      return typeof value === 'string' ? value.trim() : '';
    };
    const name = text('name');
    const terms = {
      count: Number(text('count')),
      expiresInMs: Number(text('hours')) * HOUR_MS,
      ...(name !== '' && { name }),
    };
    act(api.post(PATH, terms).then(() => (form.reset(), onChange())));
  };
  return (
    <form class="table-tools" onSubmit={invite}>
      <label>
        <span>{words.name}</span>
        <input name="name" maxLength={100} autocomplete="off" />
      </label>
      <label class="number">
        <span>{words.workers}</span>
        <input name="count" type="number" required min={1} max={100_000} defaultValue="10" />
      </label>
      <label class="number">
        <span>{words.hours}</span>
        <input name="hours" type="number" required min={1} max={8760} defaultValue="24" />
      </label>
      <button type="submit" class="small">
        {words.invite}
      </button>
    </form>
  );
}
