// A small chart of a few minutes: lines without axes, with their largest and last values in words.

import type { JSX } from 'preact';
import { servingEn } from '../words/servingEn.ts';
import { sparkPath } from './sparkPath.ts';

const WIDTH = 240;
const HEIGHT = 48;

interface SparkLine {
  readonly name?: string;
  /** Null breaks the line. */
  readonly values: readonly (number | null)[];
}

interface SparklineProps {
  readonly title: string;
  readonly lines: readonly SparkLine[];
  readonly words: (value: number) => string;
}

export function Sparkline({ title, lines, words }: SparklineProps): JSX.Element {
  const numbers = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const largest = Math.max(0, ...numbers);
  const last = lines.map(({ name = '', values }) => {
    const value = values.findLast((one) => one !== null) ?? undefined;
    return value === undefined ? '' : `${name} ${words(value)}`.trim();
  });
  const told = last.filter(Boolean).join(', ');
  const caption = told === '' ? servingEn.nothing : servingEn.now(told);
  return (
    <figure class="spark">
      <figcaption>
        {title} <small>{servingEn.largest(words(largest))}</small>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${caption}, ${servingEn.largest(words(largest))}`}
      >
        <path class="axis" d={`M0 ${HEIGHT}h${WIDTH}`} />
        {lines.map(({ values }, i) => (
          <path key={i} class={`stroke-${i}`} d={sparkPath(values, largest, WIDTH, HEIGHT)} />
        ))}
      </svg>
      <small>{lines.length > 1 && told !== '' ? <Legend last={last} /> : caption}</small>
    </figure>
  );
}

/** What belongs to which line. */
function Legend({ last }: { readonly last: readonly string[] }): JSX.Element {
  return (
    <span class="legend">
      {last.map((text, i) => (
        <span key={i}>
          <span class={`swatch line-${i}`} aria-hidden="true" />
          {text}
        </span>
      ))}
    </span>
  );
}
