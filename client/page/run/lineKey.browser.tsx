// A piece of a line as it is drawn in a chart: beside its name, the dash tells it apart where the colour does not.

import type { JSX } from 'preact';
import type { LineStyle } from '../design/drawLines.browser.ts';

const COLOURS = 6;

export function LineKey({ style: { colour, dash } }: { readonly style: LineStyle }): JSX.Element {
  return (
    <svg class="line-key" viewBox="0 0 28 6" width="28" height="6" aria-hidden="true">
      <line
        x1="0"
        y1="3"
        x2="28"
        y2="3"
        stroke={`var(--chart-${(colour % COLOURS) + 1})`}
        stroke-width="3"
        stroke-dasharray={dash?.join(' ')}
      />
    </svg>
  );
}
