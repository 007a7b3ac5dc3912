import { describe, expect, it } from 'vitest';
import { metricByName, metricsFor } from '../../../../shared/gbdt/metric/registry.ts';
import { objectiveByName, objectiveNames } from '../../../../shared/gbdt/objective/registry.ts';
import { resolveParams } from '../../../../shared/gbdt/params.ts';

describe.each(objectiveNames)('The objective %s', (name) => {
  const objective = objectiveByName(name);
  const params = resolveParams({ objective: name, ...(name.startsWith('multi:') && { num_class: 3 }) });
  const outputs = objective.outputs(params);

  it('is found by its own name, in its section of the model file too', () => {
    expect(objective.name).toBe(name);
    expect(objective.modelSection(params)['name']).toBe(name);
  });

  it('has a default metric that judges it', () => {
    expect(metricsFor(name)).toContain(objective.defaultMetric);
    expect(metricByName(objective.defaultMetric)?.margins).toBe(objective.margins);
  });

  it('takes the label 1 and says in words what it takes', () => {
    expect(objective.acceptsLabel(1, params)).toBe(true);
    expect(objective.labelRange(params)).not.toBe('');
  });

  it('predicts the base score before the first tree, or all classes alike', () => {
    const predictions = new Float32Array(outputs).fill(objective.baseMargin(0.25));
    objective.transform(predictions, outputs);
    for (const prediction of predictions) expect(prediction).toBeCloseTo(outputs > 1 ? 1 / outputs : 0.25, 6);
  });

  it('has a class for each row where its margins are of classes', () => {
    expect(objective.labelOf === undefined).toBe(objective.margins === 'values');
    if (outputs === 1) expect(objective.labelOf?.(Float32Array.of(0.2, 0.5, 0.6), 2, 1) ?? 1).toBe(1);
    else expect(objective.labelOf?.(Float32Array.of(1, 0, 0, 0.2, 0.4, 0.4), 3, outputs)).toBe(1);
  });
});
