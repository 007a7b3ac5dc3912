// Rows of columns in memory down 100 trees of depth 6, on one thread: WebAssembly, plain JavaScript, and real XGBoost without the
// time of making its matrix. In turns, best of five.

import { compileForest } from '../../shared/gbdt/model/flatForest.ts';
import { ForestWalk } from '../../shared/gbdt/model/forestWalk.ts';
import { Predictor } from '../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../shared/gbdt/model/readModel.ts';
import { trainOracle } from '../oracle/xgboost.ts';
import { seededRandom } from '../setup/seededRandom.ts';

const ROWS = 1_000_000;
const TRAINED_ROWS = 20_000;
const FEATURES = 12;
const TREES = 100;
const TURNS = 5;

export async function printInMemory(): Promise<void> {
  const random = seededRandom(7);
  const columns = Array.from({ length: FEATURES }, () => Float32Array.from({ length: ROWS }, random));
  const few = columns.map((column) => column.slice(0, TRAINED_ROWS));
  const labels = Array.from({ length: TRAINED_ROWS }, (_, row) =>
    few[0]![row]! + few[1]![row]! * few[2]![row]! + 0.3 * random() > 0.8 ? 1 : 0,
  );
  const params = { objective: 'binary:logistic', max_depth: 6 };
  const { booster } = trainOracle(params, { columns: few, labels }, TREES);
  const model = readModel(booster.save());
  const forest = compileForest(model.trees, model.numFeature);
  const walk = new ForestWalk(forest);
  const predictor = new Predictor(model);
  const clock = (work: () => void): number => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  };
  const margins = new Float32Array(ROWS);
  const ways: Record<string, () => number> = {
    WebAssembly: () => clock(() => void predictor.predict(columns, ROWS, { outputMargin: true })),
    'plain JavaScript': () =>
      clock(() =>
        walk.forEachLeaf(columns, ROWS, 0, TREES, (leaves, _, start, count) => {
          for (let i = 0; i < count; i += 1) margins[start + i]! += forest.leafValues[leaves[i]!]!;
        }),
      ),
    'XGBoost 1.7.5, 1 thread': () => booster.timePredict({ columns, labels: [] }),
  };
  const best = new Map(Object.keys(ways).map((name) => [name, Infinity]));
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [name, way] of Object.entries(ways)) best.set(name, Math.min(best.get(name)!, way()));
  }
  const oracle = best.get('XGBoost 1.7.5, 1 thread')!;
  console.log(
    `\n${ROWS.toLocaleString('en')} rows in memory, ${FEATURES} features, ${TREES} trees of depth 6\n`,
  );
  console.log('| where | rows/s | to XGBoost |\n| --- | --- | --- |');
  for (const [name, ms] of best) {
    console.log(
      `| ${name} | ${Math.round((1000 * ROWS) / ms).toLocaleString('en')} | ${(oracle / ms).toFixed(2)} |`,
    );
  }
}
