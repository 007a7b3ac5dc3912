// What can be had of a run's model: for trees XGBoost's file after any number of rounds, for nets the last stored state.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import type { NetAnswer } from '../../../shared/api/runModel.ts';
import { Card } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { bytes, count } from '../words/statusWords.ts';
import { runPath, type Act, type Api } from '../owner/api.browser.ts';
import { fileName, saveBlob } from './saveBlob.browser.ts';
import type { ShownRun } from './useRunHistories.browser.ts';

const words = runEn.model;

interface ModelCardProps {
  readonly api: Api;
  readonly act: Act;
  readonly summary: RunSummary;
  readonly shown: ShownRun;
}

export function ModelCard(props: ModelCardProps): JSX.Element {
  const { trainer, hasModel } = props.shown.config;
  return (
    <Card title={words.title} id="model-title">
      {trainer !== 'gbdt' ? (
        <StateFile {...props} />
      ) : hasModel ? (
        <TreeFile {...props} />
      ) : (
        <p class="note">{words.none}</p>
      )}
    </Card>
  );
}

interface DownloadProps {
  readonly id: string;
  readonly title: string;
  readonly act: Act;
  readonly isDisabled?: boolean;
  readonly fetch: () => Promise<void>;
}

function Download({ id, title, act, isDisabled = false, fetch }: DownloadProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const start = (): void => {
    setBusy(true);
    act(fetch().finally(() => setBusy(false)));
  };
  return (
    <button id={id} type="button" disabled={isBusy || isDisabled} onClick={start}>
      {isBusy ? words.saving : title}
    </button>
  );
}

function TreeFile({ api, act, summary }: ModelCardProps): JSX.Element {
  const [rounds, setRounds] = useState<number>();
  const most = summary.rounds;
  const save = async (): Promise<void> => {
    const query = rounds === undefined ? '' : `?rounds=${rounds}`;
    const blob = await api.download(runPath(summary.runId, `/model.json${query}`));
    saveBlob(blob, fileName(summary.name, `-${rounds ?? most}.json`));
  };
  return (
    <>
      <p class="note">{words.treesNote}</p>
      <div class="controls">
        <label class="check">
          <span>{words.rounds}</span>
          <input
            id="model-rounds"
            type="number"
            min={1}
            max={most}
            placeholder={String(most)}
            onInput={({ currentTarget: { valueAsNumber } }) =>
              setRounds(Number.isInteger(valueAsNumber) ? valueAsNumber : undefined)
            }
          />
        </label>
        <Download id="download-model" title={words.download} act={act} isDisabled={most === 0} fetch={save} />
      </div>
    </>
  );
}

function StateFile({ api, act, summary, shown: { config, history } }: ModelCardProps): JSX.Element {
  const told = history.events.findLast(({ event }) => event.type === 'checkpoint')?.event;
  const state = told?.type === 'checkpoint' ? told : config.state;
  if (!state) return <p class="note">{words.netNone}</p>;
  const { rounds, sha256, sizeBytes } = state;
  const isNet = config.trainer === 'neural';
  const save = async (): Promise<void> => {
    const blob = await api.download(`/blobs/${sha256}`);
    if (!isNet) return saveBlob(blob, fileName(summary.name, `-${rounds}.state`));
    const net = await api.get<NetAnswer>(runPath(summary.runId, '/net'));
    const [{ netCheckpoint }, { zipFiles }] = await Promise.all([
      import('./netCheckpoint.ts'),
      import('./zipFiles.ts'),
    ]);
    const metrics = summary.rounds === rounds ? (summary.lastMetrics ?? {}) : {};
    const files = netCheckpoint(new Uint8Array(await blob.arrayBuffer()), net, rounds, metrics);
    return saveBlob(
      new Blob(zipFiles(files), { type: 'application/zip' }),
      fileName(summary.name, `-${rounds}.zip`),
    );
  };
  return (
    <>
      <p class="note">{isNet ? words.netNote(count(rounds)) : words.stateNote(count(rounds))}</p>
      <div class="controls">
        <Download
          id="download-state"
          title={`${isNet ? words.netDownload : words.stateDownload} (${bytes(sizeBytes)})`}
          act={act}
          fetch={save}
        />
      </div>
    </>
  );
}
