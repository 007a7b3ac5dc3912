// Asks for an experiment with all its trials and their curves, again and again while it goes on.

import { useEffect, useState } from 'preact/hooks';
import type { CurvesAnswer, ExperimentAnswer } from '../../../shared/api/experiment.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Api } from '../owner/api.browser.ts';

/** Between two looks at an experiment that goes on; and as many times as long as a look takes. */
const LOOK_EVERY_MS = 4_000;
const TIMES_A_LOOK = 20;
/** Of 1,000 trials each. */
const MAX_PARTS = 10;

export interface WholeExperiment {
  /** With the trials of all its parts. */
  readonly experiment: ExperimentAnswer;
  readonly curves: CurvesAnswer['curves'];
}

interface Loaded {
  readonly whole?: WholeExperiment;
  readonly problem?: string;
}

/** @param isRunning as the coordinator's status has it: one that has ended is asked for once more. */
export function useExperiment(api: Api, id: string, isRunning: boolean): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({});
  useEffect(() => {
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      const from = performance.now();
      try {
        const [experiment, { curves }] = await Promise.all([
          wholeExperiment(api, id, over.signal),
          api.get<CurvesAnswer>(`/api/v1/experiments/${encodeURIComponent(id)}/curves`, over.signal),
        ]);
        setLoaded({ whole: { experiment, curves } });
      } catch (error) {
        if (over.signal.aborted) return;
        setLoaded(({ whole }) => ({
          ...(whole && { whole }),
          problem: messageOf(error),
        }));
      }
      const restMs = Math.max(LOOK_EVERY_MS, TIMES_A_LOOK * (performance.now() - from));
      if (isRunning && !over.signal.aborted) timer = setTimeout(() => void look(), restMs);
    };
    void look();
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [api, id, isRunning]);
  return loaded;
}

async function wholeExperiment(api: Api, id: string, signal: AbortSignal): Promise<ExperimentAnswer> {
  const path = `/api/v1/experiments/${encodeURIComponent(id)}`;
  const first = await api.get<ExperimentAnswer>(path, signal);
  const trials = [...first.trials];
  let { nextAfter } = first;
  for (let part = 1; part < MAX_PARTS && nextAfter !== undefined; part++) {
    const next = await api.get<ExperimentAnswer>(`${path}?after=${nextAfter}`, signal);
    trials.push(...next.trials);
    nextAfter = next.nextAfter;
  }
  return { ...first, trials };
}
