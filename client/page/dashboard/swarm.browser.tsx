// The workers, each with what it computes on and does, and a way to send it off.

import type { JSX } from 'preact';
import type { WorkerSummary } from '../../../shared/api/workerAnswers.ts';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { ViewProps } from './view.ts';

const words = dashboardEn.swarm;

/** A table of the workers. */
export function Swarm({ api, act, look: { status, workers } }: ViewProps): JSX.Element {
  const nameOf = (runId: string): string => status.runs.find((run) => run.runId === runId)?.name ?? runId;
  return (
    <Card title={dashboardEn.titles.swarm} id="swarm-title">
      {workers.length === 0 ? (
        <p class="note">{dashboardEn.overview.noWorkers}</p>
      ) : (
        <div class="scroll">
          <table id="workers">
            <thead>
              <tr>
                {[words.worker, words.runtime, words.device, words.state].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
                <th scope="col" class="number">
                  {words.roundTrip}
                </th>
                <th scope="col">{words.actions}</th>
              </tr>
            </thead>
            <tbody>
              {workers.map((worker) => (
                <tr key={worker.workerId}>
                  <td>
                    {worker.workerId}
                    {worker.name !== undefined && <small class="block">{worker.name}</small>}
                  </td>
                  <td>{worker.runtime}</td>
                  <td>{worker.device.name}</td>
                  <td>{stateOf(worker, nameOf)}</td>
                  <td class="number">
                    {worker.roundTripMs === undefined ? '' : `${Math.round(worker.roundTripMs)} ms`}
                  </td>
                  <td>
                    <button
                      type="button"
                      class="small"
                      onClick={() =>
                        act(
                          api.post(`/api/v1/workers/${encodeURIComponent(worker.workerId)}/remove`, {
                            reason: words.removed,
                          }),
                        )
                      }
                    >
                      {words.remove}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function stateOf(
  { present, leaving, runId, programs }: WorkerSummary,
  nameOf: (runId: string) => string,
): string {
  if (!present) return words.away;
  if (leaving !== undefined) return words.leaving(leaving);
  if (runId !== undefined) return words.inRun(nameOf(runId));
  return programs > 0 ? words.programs(programs) : words.idle;
}
