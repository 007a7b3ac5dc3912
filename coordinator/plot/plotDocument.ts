// Charts as one file that needs nothing from elsewhere: a picture, or a page with the numbers below each picture.

import { CHART_WIDTH, type Chart, type PlotTable } from './chart.ts';
import { pageStyle, plotStyle } from './plotStyle.ts';
import { element, escaped } from './svgText.ts';

/** The charts below one another. */
export function svgDocument(title: string, charts: readonly Chart[]): string {
  const height = charts.reduce((sum, chart) => sum + chart.height, 0);
  let y = 0;
  const placed = charts.map((chart) => {
    const group = element('g', { transform: `translate(0 ${y})` }, `\n${chart.body}\n`);
    y += chart.height;
    return group;
  });
  const described = charts.map((chart) => `${chart.title}: ${chart.description}`).join(' ');
  return `${picture('plot', height, title, described, [element('style', {}, `\n${plotStyle}\n`), ...placed])}\n`;
}

/** A page with a figure a chart. */
export function htmlDocument(title: string, charts: readonly Chart[]): string {
  const figures = charts.map((chart, i) => {
    const svg = picture(`chart-${i}`, chart.height, chart.title, chart.description, [chart.body]);
    const box = element('div', { class: 'chart' }, svg);
    return element('figure', {}, `\n${box}\n${chart.table ? tableOf(chart.table, chart.title) : ''}\n`);
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>
${plotStyle}
${pageStyle}
</style>
</head>
<body class="plot">
<main>
<h1>${escaped(title)}</h1>
${figures.join('\n')}
</main>
</body>
</html>
`;
}

function picture(
  id: string,
  height: number,
  title: string,
  description: string,
  content: readonly string[],
): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${CHART_WIDTH} ${Math.ceil(height)}`,
      width: CHART_WIDTH,
      height: Math.ceil(height),
      class: 'plot',
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-description`,
    },
    '\n',
    [
      element('title', { id: `${id}-title` }, escaped(title)),
      element('desc', { id: `${id}-description` }, escaped(description)),
      element('rect', { class: 'ground', width: '100%', height: '100%' }),
      ...content,
    ].join('\n'),
    '\n',
  );
}

function tableOf({ columns, rows, note }: PlotTable, title: string): string {
  const cells = (name: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${name}>${escaped(text)}</${name}>`).join('')}</tr>`;
  const table = `<table>
<thead>${cells('th', columns)}</thead>
<tbody>
${rows.map((row) => cells('td', row)).join('\n')}
</tbody>
</table>`;
  const region = { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': `Numbers: ${title}` };
  return `<details>
<summary>The numbers</summary>
${note === undefined ? '' : element('p', { class: 'note' }, escaped(note))}
${element('div', region, table)}
</details>`;
}
