// The columns of the table of workers.

import type { JSX } from 'preact';
import { ConfirmButton } from '../design/confirmButton.browser.tsx';
import type { Column } from '../design/dataTable.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { Act, Api } from '../owner/api.browser.ts';
import {
  ageWords,
  deviceWords,
  distrust,
  linkWords,
  seenWords,
  speedWords,
  trafficOf,
  trafficWords,
  trustWords,
  type WorkerRow,
} from './workerRow.ts';

const words = dashboardEn.swarm;

/** @param onBan is told when a ban was made. */
export function workerColumns(api: Api, act: Act, onBan: () => void): readonly Column<WorkerRow>[] {
  return [
    {
      key: 'worker',
      title: words.worker,
      value: ({ workerId }) => workerId,
      text: ({ workerId, name }) => `${workerId} ${name ?? ''}`.trim(),
      cell: ({ workerId, name }) => (
        <>
          {workerId}
          {name !== undefined && <small class="block">{name}</small>}
        </>
      ),
    },
    { key: 'state', title: words.state, value: ({ doing }) => doing },
    {
      key: 'actions',
      title: words.actions,
      isUnsorted: true,
      value: ({ isDrained }) => (isDrained === true ? words.undrain : words.drain),
      cell: (worker) => <Actions api={api} act={act} onBan={onBan} worker={worker} />,
    },
    { key: 'runtime', title: words.runtime, value: ({ runtime }) => runtime },
    {
      key: 'device',
      title: words.device,
      value: ({ device }) => device.name,
      text: deviceWords,
      isLong: true,
      cell: ({ device }) => (
        <>
          {device.name}
          {device.reason !== undefined && <small class="block">{device.reason}</small>}
        </>
      ),
    },
    {
      key: 'cores',
      title: words.cores,
      value: ({ cores }) => cores,
      isNumber: true,
    },
    {
      key: 'speed',
      title: words.speed,
      value: ({ standing }) => standing?.rowsPerSecond,
      text: speedWords,
      isNumber: true,
    },
    { key: 'trust', title: words.trust, value: distrust, text: trustWords, isLong: true },
    {
      key: 'links',
      title: words.links,
      value: ({ links }) => links && links.direct + links.relay,
      text: linkWords,
    },
    {
      key: 'ping',
      title: words.roundTrip,
      value: ({ roundTripMs }) => roundTripMs,
      text: ({ roundTripMs }) => (roundTripMs === undefined ? '' : `${Math.round(roundTripMs)} ms`),
      isNumber: true,
    },
    {
      key: 'traffic',
      title: words.traffic,
      value: trafficOf,
      text: trafficWords,
    },
    {
      key: 'age',
      title: words.age,
      value: ({ ageMs }) => ageMs,
      text: ageWords,
    },
    {
      key: 'seen',
      title: words.seen,
      value: ({ silentMs }) => silentMs,
      text: seenWords,
    },
    {
      key: 'address',
      title: words.address,
      value: ({ remoteAddress }) => remoteAddress,
    },
  ];
}

interface ActionsProps {
  readonly api: Api;
  readonly act: Act;
  readonly onBan: () => void;
  readonly worker: WorkerRow;
}

function Actions({ api, act, onBan, worker: { workerId, isDrained } }: ActionsProps): JSX.Element {
  const path = `/api/v1/workers/${encodeURIComponent(workerId)}`;
  const remove = (ban?: 'worker' | 'address'): void =>
    act(
      api
        .post(`${path}/remove`, {
          reason: words.removed,
          ...(ban !== undefined && { ban }),
        })
        .then(() => ban !== undefined && onBan())
        .then(() => undefined),
    );
  const isOut = isDrained === true;
  return (
    <details class="actions">
      <summary aria-label={words.actionsFor(workerId)}>{words.actions}</summary>
      <div>
        <button
          type="button"
          class="small"
          title={isOut ? words.undrainNote : words.drainNote}
          onClick={() => act(api.post(`${path}/${isOut ? 'undrain' : 'drain'}`, {}))}
        >
          {isOut ? words.undrain : words.drain}
        </button>
        <ConfirmButton text={words.remove} question={words.sureRemove} onConfirm={() => remove()} />
        <ConfirmButton text={words.ban} question={words.sureBan} onConfirm={() => remove('worker')} />
        <ConfirmButton
          text={words.banAddress}
          question={words.sureBanAddress}
          onConfirm={() => remove('address')}
        />
      </div>
    </details>
  );
}
