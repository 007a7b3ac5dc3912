// Rows whose labels and weights span nine orders of magnitude, against real XGBoost and an oracle in BigInt, and alike
// for every number of workers and every device.

import { expect, it } from 'vitest';
import { createWebgpuTreeDevice } from '../../../kernels/gbdt/devices/webgpuDevice.ts';
import type { DeviceSpec, TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { treeBytes } from '../../../shared/gbdt/treeBytes.ts';
import { createNaiveDevice } from '../../kernels/gbdt/naiveDevice.ts';
import type { OracleData } from '../../oracle/xgboost.ts';
import { trainOracle } from '../../oracle/xgboost.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { trainLocally, type LocalOptions, type LocalTraining } from './trainLocally.ts';

const ROWS = 600;
const ROUNDS = 8;
const HEAVY = 1e9;

/**
 * Feature 0 parts the light rows (below 0.5) from the heavy ones. XGBoost's gains are float32 numbers, in which light rows
 * are lost beside heavy ones that gain: heavy rows gain nothing, or the light ones as much.
 */
function table(
  label: (isLight: boolean, a: number, b: number, row: number) => number,
  weight: (isLight: boolean, draw: number) => number,
): OracleData {
  const random = seededRandom(5);
  const column = (): Float32Array =>
    Float32Array.from({ length: ROWS }, () => Math.floor(random() * 100) / 100);
  const columns = [column(), column(), column()];
  // Rows in pairs that agree in all features.
  for (const values of columns) values.forEach((value, row) => (values[row | 1] = values[row & ~1] ?? value));
  const isLight = (row: number): boolean => columns[0]![row]! < 0.5;
  return {
    columns,
    labels: Float32Array.from({ length: ROWS }, (_, row) =>
      label(isLight(row), columns[1]![row]!, columns[2]![row]!, row),
    ),
    weights: Float32Array.from({ length: ROWS }, (_, row) => weight(isLight(row), row % 2 === 0 ? 0.3 : 0.6)),
  };
}

/** Of each heavy pair one row is of either class, so that their gradients cancel out. */
const classes = table(
  (isLight, a, _, row) => (isLight ? (a > 0.4 ? 1 : 0) : row % 2),
  (isLight, draw) => (isLight ? draw : HEAVY),
);
/** Heavy rows are what the model says before the first tree. */
const zeros = table(
  (isLight, a, b) => (isLight ? Math.sin(6 * a) + b : 0),
  (isLight, draw) => (isLight ? draw : HEAVY * draw),
);
const { weights: _, ...farLabels } = table(
  (isLight, a, b) => (isLight ? Math.sin(6 * a) + b : HEAVY * (1 + b)),
  () => 1,
);
const both = table(
  (isLight, a, b) => (isLight ? HEAVY * (Math.sin(6 * a) + b) : 1 + b),
  (isLight, draw) => (isLight ? draw : HEAVY * draw),
);

const common = { lambda: 0, min_child_weight: 0, max_depth: 4, eta: 0.5 };
const regression = { ...common, objective: 'reg:squarederror', base_score: 0 };
const cases: [string, OracleData, Record<string, string | number>][] = [
  ['weights of classes', classes, { ...common, objective: 'binary:logistic', base_score: 0.5 }],
  ['weights of numbers', zeros, regression],
  ['labels', farLabels, regression],
  ['weights and labels', both, regression],
];

const train = (
  data: OracleData,
  params: LocalOptions['params'],
  more: Partial<LocalOptions> = {},
): Promise<LocalTraining> =>
  trainLocally(data, { params, rounds: ROUNDS, sets: { train: data }, isWide: true, ...more });

const bytes = ({ rounds, history }: LocalTraining): string =>
  JSON.stringify([rounds.map((trees) => Buffer.from(treeBytes(trees)).toString('hex')), history]);

/** Deviations from XGBoost's predictions over the rows on one side, as a share of what labels deviate there. */
function deviation(data: OracleData, ours: LocalTraining, theirs: ArrayLike<number>, light: boolean): number {
  const predicted = new Predictor(ours.model).predict(data.columns, ROWS);
  const rows = Array.from({ length: ROWS }, (_, row) => row).filter(
    (row) => data.columns[0]![row]! < 0.5 === light,
  );
  const mean = rows.reduce((sum, row) => sum + data.labels[row]!, 0) / rows.length;
  const size = Math.sqrt(rows.reduce((sum, row) => sum + (data.labels[row]! - mean) ** 2, 0) / rows.length);
  return Math.max(...rows.map((row) => Math.abs(predicted[row]! - theirs[row]!))) / (size || 1);
}

it.each(cases)(
  '%s that span nine orders of magnitude are learned as XGBoost learns them',
  async (_, data, params) => {
    const theirs = trainOracle(params, data, ROUNDS, {}).booster.predict(data);
    const wide = await train(data, params);
    expect(deviation(data, wide, theirs, true)).toBeLessThan(1e-4);
    expect(deviation(data, wide, theirs, false)).toBeLessThan(1e-4);
    // What one limb makes of the light rows.
    const narrow = await train(data, params, { isWide: false });
    expect(deviation(data, narrow, theirs, true)).toBeGreaterThan(0.1);
  },
);

it.each(cases)(
  '%s: one worker or three, whatever device, come to the same bytes',
  async (_, data, params) => {
    const alone = bytes(await train(data, params));
    for (const workers of [2, 3])
      expect(bytes(await train(data, params, { workers, blocks: 5 }))).toBe(alone);
    expect(bytes(await train(data, params, { createDevice: createNaiveDevice }))).toBe(alone);
    const gpu = await openNodeGpuDevice();
    const mixed: (spec: DeviceSpec) => Promise<TreeDevice> = (spec) => createWebgpuTreeDevice(gpu, spec);
    expect(bytes(await train(data, params, { workers: 2, createDevice: mixed }))).toBe(alone);
    gpu.destroy();
  },
);

it('going on from half of the rounds comes to the same trees', async () => {
  const [, data, params] = cases[3]!;
  const whole = await train(data, params);
  const half = await train(data, params, { rounds: ROUNDS / 2 });
  const rest = await train(data, params, { rounds: ROUNDS / 2, continued: half.model });
  const hex = (rounds: LocalTraining['rounds']): string[] =>
    rounds.map((trees) => Buffer.from(treeBytes(trees)).toString('hex'));
  expect(hex(rest.rounds)).toEqual(hex(whole.rounds.slice(ROUNDS / 2)));
});
