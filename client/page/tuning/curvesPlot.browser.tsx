// Scores of all trials over their iterations, the better the stronger.

import type { JSX } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { CurvesAnswer } from '../../../shared/api/experiment.ts';
import { Canvas, type Drawing, type Spot } from '../design/canvas.browser.tsx';
import { drawAxes, drawCross, planeOf } from '../design/drawAxes.browser.ts';
import { scaleOf } from '../design/plotScale.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { BEST, LEFT_OUT, shadeColour, shadeOf } from './shades.browser.ts';
import { scoreWords } from './trialColumns.browser.tsx';
import { isEarly, type RecordedTrial } from './trials.ts';

const words = dashboardEn.tuning;
const HEIGHT = 280;
const NEAR_PIXELS = 16;

type Curve = CurvesAnswer['curves'][number];

interface CurvesPlotProps {
  readonly curves: readonly Curve[];
  readonly trials: readonly RecordedTrial[];
  readonly found: ReadonlySet<number>;
  readonly strengths: ReadonlyMap<number, number>;
  readonly onPick: (trial: number) => void;
}

export function CurvesPlot({ curves, trials, found, strengths, onPick }: CurvesPlotProps): JSX.Element {
  const [pointed, setPointed] = useState<{
    number: number;
    at: number;
    score: number;
  }>();
  const { x, y, early } = useMemo(
    () => ({
      x: scaleOf([0, ...curves.flatMap(({ points }) => points.at(-1)?.[0] ?? 0)], false),
      y: scaleOf(scoresOf(curves)),
      early: new Set(trials.filter(isEarly).map(({ number }) => number)),
    }),
    [curves, trials],
  );
  const draw = useCallback(
    (drawing: Drawing): void => {
      const { context, palette } = drawing;
      const plane = drawAxes(drawing, x, y);
      const shades = new Map<number, Curve[]>();
      for (const curve of curves) {
        const shade = shadeOf(curve.number, found, strengths);
        const those = shades.get(shade);
        if (those) those.push(curve);
        else shades.set(shade, [curve]);
      }
      for (const [shade, those] of [...shades].sort(([a], [b]) => a - b)) {
        context.strokeStyle = shadeColour(palette, shade);
        context.globalAlpha = shade === LEFT_OUT ? 0.5 : 1;
        context.lineWidth = shade === BEST ? 2.5 : 1;
        context.beginPath();
        for (const { number, points } of those) {
          for (const [i, [at, score]] of points.entries())
            if (i === 0) context.moveTo(plane.x(at), plane.y(score));
            else context.lineTo(plane.x(at), plane.y(score));
          const last = points.at(-1);
          if (last && early.has(number)) drawCross(context, plane.x(last[0]), plane.y(last[1]), 2.5);
        }
        context.stroke();
      }
      context.globalAlpha = 1;
    },
    [curves, found, strengths, early, x, y],
  );
  const near = (spot: Spot, width: number): typeof pointed => {
    const plane = planeOf(x, y, width, HEIGHT);
    let nearest: { number: number; at: number; score: number; away: number } | undefined;
    for (const { number, points } of curves) {
      if (!found.has(number)) continue;
      for (const [at, score] of points) {
        const away = Math.hypot(plane.x(at) - spot.x, plane.y(score) - spot.y);
        if (away < (nearest?.away ?? NEAR_PIXELS)) nearest = { number, at, score, away };
      }
    }
    return nearest;
  };
  return (
    <figure class="plot">
      <Canvas
        id="trial-curves"
        label={words.curvesLabel(curves.length)}
        height={HEIGHT}
        draw={draw}
        onMove={(spot, width) => setPointed(spot && near(spot, width))}
        onUp={(spot, width) => {
          const trial = near(spot, width);
          if (trial) onPick(trial.number);
        }}
      />
      <figcaption class="note">
        {pointed ? words.pointed(pointed.number, scoreWords(pointed.score), pointed.at) : words.curvesNote}
      </figcaption>
    </figure>
  );
}

function* scoresOf(curves: readonly Curve[]): Generator<number> {
  for (const { points } of curves) for (const [, score] of points) yield score;
}
