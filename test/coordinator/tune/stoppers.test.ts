import { describe, expect, it } from 'vitest';
import {
  combinedStopper,
  experimentPlateauStopper,
  functionStopper,
  maximumIterationStopper,
  timeoutStopper,
  trialPlateauStopper,
  type Stopper,
} from '../../../coordinator/index.ts';

/** Feeds losses of one trial; the reports at which it is ended, and at which the experiment is. */
function play(stopper: Stopper, losses: readonly number[], msAReport = 1000) {
  let nowMs = 0;
  const watch = stopper.start(() => nowMs);
  const history: { loss: number }[] = [];
  const ended: number[] = [];
  const over: number[] = [];
  for (const loss of losses) {
    nowMs += msAReport;
    history.push({ loss });
    const trainingIteration = history.length;
    const report = { loss, trainingIteration, timeTotalS: nowMs / 1000 };
    if (watch.hear('trial_00000', report, history) !== undefined) ended.push(trainingIteration);
    if (watch.over?.() !== undefined) over.push(trainingIteration);
  }
  return { ended, over };
}

describe('stoppers', () => {
  it('maximumIterationStopper ends a trial at its iteration', () => {
    expect(play(maximumIterationStopper(3), [1, 1, 1, 1])).toEqual({ ended: [3, 4], over: [] });
    expect(() => maximumIterationStopper(0)).toThrow(/got 0; expected a whole number of at least 1/);
  });

  it('trialPlateauStopper ends a trial whose last reports lie close', () => {
    // np.std of 0.5, 0.5, 0.51, 0.5 is 0.0043; of 1, 0.5, 0.5, 0.51 it is 0.215.
    expect(play(trialPlateauStopper('loss'), [1, 0.5, 0.5, 0.51, 0.5])).toEqual({ ended: [5], over: [] });
    expect(play(trialPlateauStopper('loss', { std: 0.004 }), [1, 0.5, 0.5, 0.51, 0.5]).ended).toEqual([]);
    expect(play(trialPlateauStopper('loss', { numResults: 2, gracePeriod: 1 }), [1, 1, 2]).ended).toEqual([
      2,
    ]);
    expect(play(trialPlateauStopper('loss', { numResults: 2 }), [1, 1, 1, 1, 1]).ended).toEqual([4, 5]);
    const good = { numResults: 2, gracePeriod: 1, metricThreshold: 0.5 };
    expect(play(trialPlateauStopper('loss', good), [1, 1, 0.5, 0.5]).ended).toEqual([4]);
    expect(play(trialPlateauStopper('loss', { ...good, mode: 'max' }), [1, 1, 0.4, 0.4]).ended).toEqual([2]);
    expect(play(trialPlateauStopper('other'), [1, 1, 1, 1, 1]).ended).toEqual([]);
  });

  it('experimentPlateauStopper ends the experiment when the best values lie close, after its patience', () => {
    const losses = [5, 1, 2, 1, 1, 7, 8];
    expect(play(experimentPlateauStopper('loss', { top: 3 }), losses)).toEqual({
      ended: [],
      over: [5, 6, 7],
    });
    expect(play(experimentPlateauStopper('loss', { top: 3, patience: 2 }), losses).over).toEqual([6, 7]);
    expect(play(experimentPlateauStopper('loss', { top: 2, mode: 'max' }), [8, 1, 8]).over).toEqual([3]);
    expect(play(experimentPlateauStopper('loss', { top: 2 }), [NaN, 1]).over).toEqual([]);
  });

  it('timeoutStopper ends the experiment when the time is over', () => {
    expect(play(timeoutStopper(2.5), [1, 1, 1, 1])).toEqual({ ended: [], over: [3, 4] });
    expect(() => timeoutStopper(0)).toThrow(/expected seconds above 0/);
  });

  it('combinedStopper ends what any of them ends, and each time begins anew', () => {
    const stopper = combinedStopper(
      functionStopper((_trialId, { loss }) => loss! < 1),
      experimentPlateauStopper('loss', { top: 2 }),
      maximumIterationStopper(4),
    );
    const expected = { ended: [2, 4], over: [4] };
    expect(play(stopper, [3, 0.5, 2, 0.5])).toEqual(expected);
    expect(play(stopper, [3, 0.5, 2, 0.5])).toEqual(expected);
  });
});
