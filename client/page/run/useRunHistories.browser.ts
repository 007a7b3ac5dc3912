// Reads runs and follows them as long as they are shown; the page is drawn a few times a second however much comes.

import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { CurvesAnswer, TimelineAnswer } from '../../../shared/api/runHistory.ts';
import type { RunSummary } from '../../../shared/api/runAnswers.ts';
import type { ConfigAnswer } from '../../../shared/api/runModel.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { runPath, type Api } from '../owner/api.browser.ts';
import { CURVE_POINTS, RunHistory } from './runHistory.ts';

const DRAW_EVERY_MS = 250;
/** A stream that broke off is asked for again. */
const AGAIN_MS = 2_000;
const NOT_FOUND = 404;

/** A run that is shown. */
export interface ShownRun {
  readonly runId: string;
  readonly summary: RunSummary;
  readonly config: ConfigAnswer;
  readonly history: RunHistory;
}

export interface RunHistories {
  /** Those that are read, in the order in which they were asked for. */
  readonly runs: readonly ShownRun[];
  readonly problems: readonly string[];
  /** Becomes larger whenever there is something new to draw. */
  readonly version: number;
}

export function useRunHistories(api: Api, runIds: readonly string[]): RunHistories {
  const runs = useRef(new Map<string, ShownRun>());
  const [version, redraw] = useReducer((turn: number) => turn + 1, 0);
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const key = JSON.stringify(runIds);
  useEffect(() => {
    const over = new AbortController();
    const { signal } = over;
    let isPlanned = false;
    const plan = (delayMs: number): void => {
      if (isPlanned) return;
      isPlanned = true;
      setTimeout(() => {
        isPlanned = false;
        if (!signal.aborted) redraw(undefined);
      }, delayMs);
    };
    const tell = (runId: string, problem: string | undefined): void =>
      setProblems((known) => {
        if (known.get(runId) === problem) return known;
        const next = new Map(known);
        if (problem === undefined) next.delete(runId);
        else next.set(runId, problem);
        return next;
      });
    const show = async (runId: string): Promise<void> => {
      for (;;) {
        try {
          const shown = runs.current.get(runId) ?? (await readRun(api, runId, signal));
          runs.current.set(runId, shown);
          tell(runId, undefined);
          plan(0);
          if (shown.history.isOver) return;
          await api.follow(
            runId,
            shown.history.sequence,
            (followed) => {
              shown.history.add(followed);
              plan(DRAW_EVERY_MS);
            },
            signal,
          );
          if (shown.history.isOver) return;
        } catch (error) {
          if (signal.aborted) return;
          tell(runId, messageOf(error));
          if ((error as { status?: unknown }).status === NOT_FOUND) return;
        }
        await pause(AGAIN_MS, signal);
        if (signal.aborted) return;
      }
    };
    for (const known of runs.current.keys()) if (!runIds.includes(known)) runs.current.delete(known);
    for (const runId of runIds) void show(runId);
    return () => over.abort();
  }, [api, key]);
  return {
    runs: runIds.flatMap((runId) => runs.current.get(runId) ?? []),
    problems: runIds.flatMap((runId) => problems.get(runId) ?? []),
    version,
  };
}

async function readRun(api: Api, runId: string, signal: AbortSignal): Promise<ShownRun> {
  const [summary, config, curves, timeline] = await Promise.all([
    api.get<RunSummary>(runPath(runId), signal),
    api.get<ConfigAnswer>(runPath(runId, '/config'), signal),
    api.get<CurvesAnswer>(runPath(runId, `/curves?points=${CURVE_POINTS}`), signal),
    api.get<TimelineAnswer>(runPath(runId, '/timeline'), signal),
  ]);
  return { runId, summary, config, history: new RunHistory(curves, timeline) };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
