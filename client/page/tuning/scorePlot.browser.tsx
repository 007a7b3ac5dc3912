// The score of each trial, and the best so far.

import type { JSX } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import { Canvas, type Drawing, type Spot } from '../design/canvas.browser.tsx';
import { drawAxes, drawCross, planeOf } from '../design/drawAxes.browser.ts';
import { scaleOf } from '../design/plotScale.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { scoreWords } from './trialColumns.browser.tsx';
import { bestSoFar, isEarly, type Mode, type RecordedTrial } from './trials.ts';

const words = dashboardEn.tuning;
const HEIGHT = 240;
const NEAR_PIXELS = 16;

interface ScorePlotProps {
  readonly trials: readonly RecordedTrial[];
  /** Numbers of those that the filter fits. */
  readonly found: ReadonlySet<number>;
  readonly mode: Mode;
  readonly onPick: (trial: number) => void;
}

export function ScorePlot({ trials, found, mode, onPick }: ScorePlotProps): JSX.Element {
  const [pointed, setPointed] = useState<RecordedTrial>();
  const { scored, best, x, y } = useMemo(() => {
    const scored = trials.filter(({ lastScore }) => lastScore !== undefined);
    return {
      scored,
      best: bestSoFar(trials, mode),
      x: scaleOf([0, trials.at(-1)?.number ?? 1], false),
      y: scaleOf(scored.map(({ lastScore }) => lastScore!)),
    };
  }, [trials, mode]);
  const draw = useCallback(
    (drawing: Drawing): void => {
      const { context, palette } = drawing;
      const plane = drawAxes(drawing, x, y);
      for (const isFound of [false, true]) {
        const these = scored.filter(({ number }) => found.has(number) === isFound);
        context.fillStyle = context.strokeStyle = isFound ? palette.accent : palette.line;
        context.lineWidth = 1.5;
        context.beginPath();
        for (const trial of these.filter(isEarly))
          drawCross(context, plane.x(trial.number), plane.y(trial.lastScore!));
        context.stroke();
        context.beginPath();
        for (const { number, lastScore } of these.filter((trial) => !isEarly(trial))) {
          context.moveTo(plane.x(number) + 2.5, plane.y(lastScore!));
          context.arc(plane.x(number), plane.y(lastScore!), 2.5, 0, 2 * Math.PI);
        }
        context.fill();
      }
      context.strokeStyle = palette.good;
      context.lineWidth = 2;
      context.beginPath();
      for (const [i, { at, value }] of best.entries()) {
        if (i === 0) context.moveTo(plane.x(at), plane.y(value));
        else context.lineTo(plane.x(at), plane.y(best[i - 1]!.value));
        context.lineTo(plane.x(at), plane.y(value));
      }
      context.stroke();
    },
    [scored, best, found, x, y],
  );
  const near = (spot: Spot, width: number): RecordedTrial | undefined => {
    const plane = planeOf(x, y, width, HEIGHT);
    let nearest: { trial: RecordedTrial; away: number } | undefined;
    for (const trial of scored) {
      const away = Math.hypot(plane.x(trial.number) - spot.x, plane.y(trial.lastScore!) - spot.y);
      if (away < (nearest?.away ?? NEAR_PIXELS)) nearest = { trial, away };
    }
    return nearest?.trial;
  };
  return (
    <figure class="plot">
      <Canvas
        id="scores"
        label={words.scoresLabel(scored.length, scored.filter(isEarly).length)}
        height={HEIGHT}
        draw={draw}
        onMove={(spot, width) => setPointed(spot && near(spot, width))}
        onUp={(spot, width) => {
          const trial = near(spot, width);
          if (trial) onPick(trial.number);
        }}
      />
      <figcaption class="note">
        {pointed
          ? words.pointed(pointed.number, scoreWords(pointed.lastScore!), pointed.iterations)
          : words.scoresNote}
      </figcaption>
    </figure>
  );
}
