import { describe, expect, it } from 'vitest';
import { barChart } from '../../../coordinator/plot/barChart.ts';
import { linePath } from '../../../coordinator/plot/chart.ts';
import { curveCharts, type Curves } from '../../../coordinator/plot/curveCharts.ts';
import { paramAxis } from '../../../coordinator/plot/paramAxis.ts';
import { htmlDocument, svgDocument } from '../../../coordinator/plot/plotDocument.ts';
import { plotFormat } from '../../../coordinator/plot/plotFormat.ts';
import { rankTrials, type PlottedTrial } from '../../../coordinator/plot/rankTrials.ts';
import { element, escaped } from '../../../coordinator/plot/svgText.ts';
import { trialCharts } from '../../../coordinator/plot/trialCharts.ts';

const curves = (rows: readonly Record<string, number>[]): Curves => ({
  rows: rows.map((metrics, i) => ({ at: i + 1, metrics })),
  unit: 'round',
  sets: ['train', 'night'],
});
const asked = { isLog: false };

describe('text of an element', () => {
  it('is text, whatever it is', () => {
    expect(escaped(`<a href="x">&'\u202e\u0000\uD800\n`)).toBe(
      String.raw`&lt;a href=&quot;x&quot;&gt;&amp;&#39;\u202e\u0000` + '\uFFFD ',
    );
    expect(element('g', { x: 1.23456, class: '"><script>', y: undefined }, escaped('<'))).toBe(
      '<g x="1.23" class="&quot;&gt;&lt;script&gt;">&lt;</g>',
    );
  });
});

describe('a line', () => {
  it('has gaps where there are no places, and dots for places alone', () => {
    const places = [
      [0, 1],
      [1, 2.005],
      [2, NaN],
      [3, 4],
      [NaN, 5],
      [5, 6],
      [6, 7],
    ] as const;
    expect(linePath(places, 'line')).toBe(
      '<path d="M0 1L1 2.01M5 6L6 7" class="line"/><path d="M3 4h0" class="line dot"/>',
    );
    expect(linePath([], 'line')).toBe('');
  });
});

describe('learning curves', () => {
  it('have a chart a metric with all sets of rows, and the numbers once', () => {
    const charts = curveCharts(
      curves([
        { 'train-auc': 0.5, 'valid-auc': 0.4, 'night-auc': 0.3, 'train-logloss': 0.7, epoch: 1 },
        { 'train-auc': 0.9, 'valid-auc': 0.6, 'night-auc': 0.2, 'train-logloss': 0.5, epoch: 1 },
        { 'train-auc': 0.8, 'valid-auc': 0.5, 'night-auc': 0.1, 'train-logloss': NaN, epoch: 2 },
      ]),
      asked,
    );
    expect(charts.map(({ title }) => title)).toEqual(['auc', 'logloss']);
    expect(charts[0]!.description).toBe(
      'train-auc from 0.5 to 0.8 over 3 rounds; valid-auc from 0.4 to 0.5 over 3 rounds; ' +
        'night-auc from 0.3 to 0.1 over 3 rounds; best valid-auc 0.6 in round 2.',
    );
    expect(charts[0]!.body).toContain('<line x1="16" x2="40" y1="38" y2="38" class="line c0 dashed"/>');
    expect(charts[0]!.table).toBeUndefined();
    expect(charts[1]!.table).toEqual({
      columns: ['round', 'train-auc', 'valid-auc', 'night-auc', 'train-logloss'],
      rows: [
        ['1', '0.5', '0.4', '0.3', '0.7'],
        ['2', '0.9', '0.6', '0.2', '0.5'],
        ['3', '0.8', '0.5', '0.1', 'NaN'],
      ],
    });
  });

  it('are of the metrics that are asked for, those that tell of progress too', () => {
    const rows = curves([{ 'train-auc': 0.5, 'valid-auc': 0.4, epoch: 1 }]);
    expect(curveCharts(rows, { ...asked, metrics: ['epoch', 'epoch'] }).map(({ title }) => title)).toEqual([
      'epoch',
    ]);
    expect(() => curveCharts(rows, { ...asked, metrics: ['valid-aux'] })).toThrow(
      'There is no metric "valid-aux"; did you mean valid-auc?',
    );
    expect(() => curveCharts(curves([]), { ...asked, metrics: ['auc'] })).toThrow('there are none');
  });

  it.each([
    ['none', [], 'no values', 'no values'],
    ['NaN alone', [{ loss: NaN }, { loss: Infinity }], 'no finite values', 'no values above zero'],
    ['nothing above zero', [{ loss: -1 }, { loss: 0 }], undefined, 'no values above zero'],
    ['one point', [{ loss: 2 }], undefined, undefined],
  ] as const)('of %s say so, or are drawn', (_, rows, plain, log) => {
    for (const [isLog, note] of [
      [false, plain],
      [true, log],
    ] as const) {
      const [chart] = curveCharts(curves(rows), { isLog });
      expect(/>(no [a-z ]+)</.exec(chart!.body)?.[1]).toBe(note);
      expect(chart!.body).not.toMatch(/="[^"]*(NaN|Infinity)/);
      expect(chart!.body.includes(' dot"')).toBe(note === undefined && rows.length === 1);
    }
  });

  it('of ten thousand rounds are as small as a picture needs, and keep their peaks', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      'valid-loss': i === 7777 ? 1000 : Math.sin(i),
    }));
    const [chart] = curveCharts(curves(rows), asked);
    expect(chart!.body.length).toBeLessThan(40_000);
    expect(chart!.body).toContain('1,000');
    expect(chart!.table!.rows.length).toBeLessThanOrEqual(1001);
    expect(chart!.table!.note).toBe('Every 10th round, and the last.');
  });
});

describe('bars', () => {
  const bars = Array.from({ length: 100 }, (_, i) => ({ name: `feature ${i}`, value: i }));

  it('are sorted, with as many as are asked for, and all of them in the table', () => {
    const { body, table } = barChart({ title: 'gain', description: '', bars, most: 20 });
    expect(body.match(/class="bar c0"/g)).toHaveLength(20);
    expect(body.indexOf('feature 99')).toBeLessThan(body.indexOf('feature 98'));
    expect(body).toContain('and 80 more');
    expect(table!.rows).toHaveLength(100);
    expect(table!.rows[0]).toEqual(['feature 99', '99']);
  });

  it('take names of any length and numbers of any kind', () => {
    const odd = [
      { name: 'x'.repeat(500), value: NaN },
      { name: '<b>', value: -3 },
      { name: '特徴'.repeat(40), value: Infinity },
    ];
    const { body } = barChart({ title: 'gain', description: '', bars: odd, most: 20 });
    expect(body).not.toMatch(/="[^"]*(NaN|Infinity)/);
    expect(body).toContain('&lt;b&gt;');
    expect(barChart({ title: 'gain', description: '', bars: [], most: 20 }).body).toContain('no values');
  });
});

describe('trials', () => {
  const trial = (
    index: number,
    score: number | undefined,
    params: PlottedTrial['params'] = {},
  ): PlottedTrial => ({
    index,
    status: score === undefined ? 'errored' : 'finished',
    params,
    score,
    curve: score === undefined ? [] : [1, 2, 3].map((x) => ({ x, y: score * x })),
  });

  it('are ranked from those without a score to the best', () => {
    const trials = [0.5, 0.9, undefined, NaN, 0.9, 0.1].map((score, i) => trial(i, score));
    const ranks = (mode: 'max' | 'min') =>
      rankTrials({ metric: 'auc', mode, trials }).map(({ index, className }) => `${index} ${className}`);
    expect(ranks('max')).toEqual(['2 failed', '3 failed', '5 s0', '0 s2', '4 s4', '1 best']);
    expect(ranks('min')).toEqual(['2 failed', '3 failed', '1 s0', '4 s2', '0 s4', '5 best']);
  });

  it('have three charts, with the best first in the table', () => {
    const trials = [
      trial(0, 0.5, { 'params.eta': 0.1 }),
      trial(1, 0.7, { 'params.eta': 0.3 }),
      trial(2, undefined, { 'params.eta': 0.5 }),
    ];
    const charts = trialCharts({ metric: 'auc', mode: 'max', trials }, asked);
    expect(charts.map(({ title }) => title)).toEqual([
      'auc of each trial',
      'Parameters and score',
      'auc by iteration',
    ]);
    expect(charts[0]!.description).toBe(
      '3 trials, more is better; best is trial 1 with 0.7; 1 without a score.',
    );
    expect(charts[0]!.table).toEqual({
      columns: ['trial', 'status', 'params.eta', 'auc'],
      rows: [
        ['1', 'finished', '0.3', '0.7'],
        ['0', 'finished', '0.1', '0.5'],
        ['2', 'errored', '0.5', ''],
      ],
      note: 'Best first.',
    });
    expect(charts[1]!.body).toContain('<title>trial 1: params.eta 0.3; auc 0.7</title>');
  });

  it('of any number are drawn: none, one, a thousand with a hundred parameters', () => {
    expect(trialCharts({ metric: 'auc', mode: 'max', trials: [] }, asked)).toHaveLength(1);
    expect(trialCharts({ metric: 'auc', mode: 'max', trials: [trial(0, 1, { a: 1 })] }, asked)).toHaveLength(
      3,
    );
    const params = (i: number) => Object.fromEntries(Array.from({ length: 100 }, (_, p) => [`p${p}`, i * p]));
    const trials = Array.from({ length: 1000 }, (_, i) => trial(i, i % 7, params(i)));
    const charts = trialCharts({ metric: 'auc', mode: 'min', trials }, asked);
    expect(charts[1]!.description).toContain('90 more parameters are in the table.');
    expect(charts.map(({ body }) => body).join('')).not.toMatch(/="[^"]*(NaN|Infinity)/);
    expect(charts[0]!.table!.rows).toHaveLength(1000);
  });
});

describe('the axis of a parameter', () => {
  it('has numbers by size, by their logarithm where they span much, and words in the order in which they came', () => {
    expect([1, 2, 3].map(paramAxis([1, 3], 0, 10).at)).toEqual([0, 5, 10]);
    expect([0.001, 0.1].map((value) => Math.round(paramAxis([0.001, 0.1], 0, 10).at(value)))).toEqual([
      0, 10,
    ]);
    expect(paramAxis([0.001, 0.1], 0, 10).at(0.01)).toBeCloseTo(5);
    const words = paramAxis(['b', 'a', { x: 1 }], 0, 10);
    expect(['b', 'a', { x: 1 }, 'c', undefined].map(words.at)).toEqual([0, 5, 10, NaN, NaN]);
    expect(words.ticks.map((tick) => tick.words)).toEqual(['b', 'a', '{"x":1}']);
  });
});

describe('a file of plots', () => {
  const charts = [{ title: 'A & B', description: '<up>', height: 100.5, body: '<g/>' }];

  it('is a picture or a page by its ending, and neither has anything from elsewhere', () => {
    expect([plotFormat('a/b.SVG'), plotFormat('x.html')]).toEqual([svgDocument, htmlDocument]);
    for (const path of ['curves.png', 'curves', 'html', 'a.html/b'])
      expect(() => plotFormat(path)).toThrow(`"${path}": expected a name that ends in .html or .svg.`);
    for (const write of [svgDocument, htmlDocument]) {
      const text = write('run <1>', charts);
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|@import|url\(/);
      expect(text).toContain('A &amp; B');
      expect(text).toContain('role="img"');
    }
  });

  it('says in words what it shows', () => {
    expect(svgDocument('run', charts)).toContain(
      '<title id="plot-title">run</title>\n<desc id="plot-description">A &amp; B: &lt;up&gt;</desc>',
    );
    expect(htmlDocument('run', charts)).toContain('aria-labelledby="chart-0-title chart-0-description"');
  });
});
