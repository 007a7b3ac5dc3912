// XGBoost's parameters under XGBoost's names, from what an owner writes to what training reads.

import { nearestWord } from '../text/nearestWord.ts';
import { UnknownParameterError } from './errors/gbdtErrors.ts';
import { metricsFor } from './metric/registry.ts';
import { objectiveByName } from './objective/registry.ts';
import { outOfRange } from './objective/parameterDefinition.ts';
import type { ParameterName } from './parameterRegistry.ts';
import { parameterDefinitions } from './parameterRegistry.ts';

/** Parameters after validation, every default filled in. Plain JSON values; floats are float32 values. */
export type GbdtParams = {
  readonly [K in ParameterName]: ReturnType<(typeof parameterDefinitions)[K]['parse']>;
};

const names = Object.keys(parameterDefinitions) as ParameterName[];

/** What other interfaces of XGBoost take among the parameters, and where it goes here. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ['n_estimators', 'numBoostRound'],
  ['num_boost_round', 'numBoostRound'],
  ['num_round', 'numBoostRound'],
  ['early_stopping_rounds', 'earlyStoppingRounds'],
]);

function canonicalName(name: string): ParameterName {
  const found = names.find((one) => one === name || parameterDefinitions[one].aliases.includes(name));
  if (found !== undefined) return found;
  const option = elsewhere.get(name);
  if (option !== undefined) {
    throw new UnknownParameterError(
      `${name} is not among the parameters of trees; set ${option} beside params`,
      {
        field: `params.${name}`,
      },
    );
  }
  const known = names.flatMap((one) => [one, ...parameterDefinitions[one].aliases]);
  const near = nearestWord(name, known);
  const hint = near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`;
  throw new UnknownParameterError(`unknown parameter ${name}; ${hint}`, { field: `params.${name}` });
}

/**
 * Validates raw parameters and fills in defaults.
 * @throws UnknownParameterError naming the nearest valid name; ParameterRangeError naming the valid range.
 */
export function resolveParams(raw: Readonly<Record<string, unknown>>): GbdtParams {
  const given = new Map<ParameterName, { readonly as: string; readonly value: unknown }>();
  for (const [name, value] of Object.entries(raw)) {
    if (value === undefined || value === null) continue;
    const canonical = canonicalName(name);
    const earlier = given.get(canonical);
    if (earlier !== undefined) {
      throw outOfRange(name, value, `only one of ${earlier.as} and ${name}: they are the same parameter`);
    }
    given.set(canonical, { as: name, value });
  }
  const resolved: Record<string, unknown> = {};
  for (const name of names) {
    const entry = given.get(name);
    const definition = parameterDefinitions[name];
    resolved[name] = entry === undefined ? definition.default : definition.parse(entry.value, entry.as);
  }
  const params = resolved as GbdtParams;
  checkTogether(params);
  return params;
}

/** Rules that involve more than one parameter. */
function checkTogether(params: GbdtParams): void {
  objectiveByName(params.objective).checkParams(params);
  const fitting = metricsFor(params.objective);
  for (const metric of params.eval_metric) {
    if (!fitting.includes(metric)) {
      throw outOfRange('eval_metric', metric, `one of ${fitting.join(', ')} for ${params.objective}`);
    }
  }
}

/** Names of the metrics that are reported: eval_metric, or the objective's default. */
export function effectiveMetrics(params: GbdtParams): readonly string[] {
  return params.eval_metric.length > 0
    ? params.eval_metric
    : [objectiveByName(params.objective).defaultMetric];
}
