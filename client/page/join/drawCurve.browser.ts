// One line on a canvas, in the colours of the page.

/// <reference types="vite/client" />

import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

interface CurveOptions {
  readonly width: number;
  readonly height: number;
  readonly name: string;
  readonly data: [number[], number[]];
}

/** uPlot asks for the format of numbers when it is loaded, and breaks where the browser names a language that is none. */
async function loadPlot(): Promise<typeof uPlot> {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
  return (await import('uplot')).default;
}

/** Draws the line into an element. */
export async function drawCurve(
  target: HTMLElement,
  { width, height, name, data }: CurveOptions,
): Promise<uPlot> {
  const Plot = await loadPlot();
  // Colours are asked for at each drawing: the system's theme may change.
  const colour = (variable: string) => (): string =>
    getComputedStyle(target).getPropertyValue(variable).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--chart-ink'),
    grid: { stroke: colour('--chart-line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return new Plot(
    {
      width,
      height,
      scales: { x: { time: false } },
      axes: [axis, { ...axis, size: 64 }],
      series: [{}, { label: name, stroke: colour('--chart-curve'), width: 2, points: { show: false } }],
      legend: { show: false },
      cursor: { show: false },
    },
    data,
    target,
  );
}
