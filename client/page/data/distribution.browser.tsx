// How the values of a column are distributed: bars over the range of numbers, or the most frequent categories.

import type { JSX } from 'preact';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { ColumnSummary } from '../../../shared/api/datasetAnswers.ts';
import { dataEn } from '../words/dataEn.ts';
import { count, numberWords, percent } from '../words/statusWords.ts';
import { denseBins, histogramPath } from './histogramPath.ts';

const WIDTH = 160;
const HEIGHT = 36;
/** Categories that are shown before the others are summed up. */
const SHOWN = 5;

export function Distribution({ column }: { readonly column: ColumnSummary }): JSX.Element {
  const { numbers, categories } = column;
  if (numbers) return <Histogram name={column.name} numbers={numbers} />;
  if (categories && categories.distinct > 0) return <Categories column={column} categories={categories} />;
  return <small>{dataEn.noValues}</small>;
}

interface HistogramProps {
  readonly name: string;
  readonly numbers: NonNullable<ColumnSummary['numbers']>;
}

function Histogram({ name, numbers: { min, max, bins } }: HistogramProps): JSX.Element {
  const [first, last] = denseBins(bins);
  const edge = (bin: number): string => numberWords(min + ((max - min) * bin) / bins.length);
  const words = dataEn.histogramOf(
    visibleLine(name),
    numberWords(min),
    numberWords(max),
    edge(first),
    edge(last + 1),
  );
  return (
    <svg
      class="histogram"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <path class="axis" d={`M0 ${HEIGHT}h${WIDTH}`} />
      <path class="bars" d={histogramPath(bins, WIDTH, HEIGHT)} />
    </svg>
  );
}

interface CategoriesProps {
  readonly column: ColumnSummary;
  readonly categories: NonNullable<ColumnSummary['categories']>;
}

function Categories({ column, categories: { top, distinct } }: CategoriesProps): JSX.Element {
  const present = Math.max(1, column.looked - column.missing);
  const shown = top.slice(0, SHOWN);
  return (
    <ul class="categories">
      {shown.map(({ name, count: rows }) => (
        <li key={name} style={{ '--share': `${(100 * rows) / present}%` }}>
          <span>{visibleLine(name)}</span>
          <span class="number">
            {count(rows)} <small>{percent(rows / present)}</small>
          </span>
        </li>
      ))}
      {distinct > shown.length && <li class="rest">{dataEn.others(count(distinct - shown.length))}</li>}
    </ul>
  );
}
