// What a model of trees makes of its features, as bars: XGBoost's plot_importance.

import { featureImportance, type ImportanceType } from '../../shared/gbdt/model/featureImportance.ts';
import type { GbdtModel } from '../../shared/gbdt/model/model.ts';
import { barChart } from './barChart.ts';
import { COLOURS, type Chart } from './chart.ts';

const words: Readonly<Record<ImportanceType, string>> = {
  gain: 'gain: mean loss that a split takes away',
  cover: 'cover: mean weight of the rows at a split',
  weight: 'weight: number of splits',
  total_gain: 'total_gain: loss that all splits take away',
  total_cover: 'total_cover: weight of the rows at all splits',
};

/** A chart for each type. @param most features that are drawn at most. */
export function importanceCharts(model: GbdtModel, types: readonly ImportanceType[], most: number): Chart[] {
  return types.map((type, i) => {
    const bars = Object.entries(featureImportance(model, type)).map(([name, value]) => ({ name, value }));
    const first = bars.reduce((a, b) => (b.value > a.value ? b : a), { name: '', value: -Infinity });
    const unused = model.numFeature - bars.length;
    const description = [
      bars.length === 0 ? 'No split asks for any feature' : `First is ${first.name}`,
      ...(unused > 0 ? [`${unused} features are asked for by no split`] : []),
    ].join('; ');
    const className = `bar c${i % COLOURS}`;
    return barChart({
      title: `Features by ${words[type]}`,
      description: `${description}.`,
      bars,
      most,
      className,
    });
  });
}
