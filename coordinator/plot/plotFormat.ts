// Plots by the ending of their file: a page or a picture.

import type { Chart } from './chart.ts';
import { htmlDocument, svgDocument } from './plotDocument.ts';
import { PlotArgumentError } from './plotErrors.ts';

const formats = [
  { ending: '.html', write: htmlDocument },
  { ending: '.svg', write: svgDocument },
] as const;

/** Makes the text of a file of plots. */
export type WritePlot = (title: string, charts: readonly Chart[]) => string;

/** @throws PlotArgumentError that names the path, for another ending than .html and .svg. */
export function plotFormat(path: string): WritePlot {
  const format = formats.find(({ ending }) => path.toLowerCase().endsWith(ending));
  if (format) return format.write;
  throw new PlotArgumentError(
    `A plot can not be written to "${path}": expected a name that ends in .html or .svg.`,
    { file: path },
  );
}
