// The files of a small project that `tabgrad init` writes: data, a script, a config and the commands that go with them.

/** Text by file name. @param version of the package that the project depends on. */
export function starterProject(name: string, version: string): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(name, version),
    'points.csv': points(),
    'train.mjs': script,
    'train.yaml': config,
    'README.md': readme(name),
    '.gitignore': 'node_modules\nresults\n',
  };
}

const script = `// Trains on points.csv and predicts with the model. Run it: node train.mjs
import { GBDTPredictor, GBDTTrainer, readCsv } from 'tabgrad';

const points = readCsv('points.csv');
const [train, valid] = points.trainTestSplit(0.25, { shuffle: true, seed: 0 });

const trainer = new GBDTTrainer({
  datasets: { train, valid },
  labelColumn: 'inside',
  params: { objective: 'binary:logistic', max_depth: 4, eval_metric: ['logloss', 'auc'] },
  numBoostRound: 20,
  scalingConfig: { numWorkers: 2 },
  runConfig: { name: 'points', overwrite: true },
});
const { metrics, checkpoint } = await trainer.fit();
console.log(metrics);
console.log(checkpoint.modelPath, 'loads in XGBoost too');

const predicted = valid.mapBatches(GBDTPredictor, {
  fnConstructorArgs: [checkpoint, { keepColumns: ['x', 'y', 'inside'] }],
});
await predicted.show(5);
`;

const config = `# Trees that tell points inside a ring from those outside: npx tabgrad train train.yaml
# All keys: docs/config.md of the package's repository.
trainer: gbdt
data:
  train: points.csv
  testSize: 0.25
labelColumn: inside
params:
  objective: binary:logistic
  max_depth: 4
  eval_metric: [logloss, auc]
numBoostRound: 20
scalingConfig:
  numWorkers: 2
runConfig:
  name: points
  overwrite: true
# For npx tabgrad tune train.yaml
tune:
  paramSpace:
    max_depth: { grid: [2, 4, 6] }
  metric: valid-auc
  mode: max
`;

function packageJson(name: string, version: string): string {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      train: 'tabgrad train train.yaml',
      tune: 'tabgrad tune train.yaml',
      serve: 'tabgrad serve --checkpoint results/points/checkpoints/20',
      up: 'tabgrad up',
    },
    dependencies: { tabgrad: `^${version}` },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function readme(name: string): string {
  return `# ${name}

    npm install
    node train.mjs                 # the same from a script
    npm run train                  # trains as train.yaml says: results/points
    npm run tune                   # three depths side by side
    npm run serve                  # predictions over HTTP, until Ctrl-C

Asking it, in another terminal:

    curl -s http://127.0.0.1:8000 -H 'content-type: application/json' -d '[{"x": 0.1, "y": 0.7}]'

With other machines and browser tabs: \`npx tabgrad up --host 0.0.0.0\` prints a link for volunteers; then
\`npx tabgrad train train.yaml --url http://127.0.0.1:7070\`.
`;
}

const ROWS = 2_000;

/** Points of the square from -1 to 1, and whether they lie in a ring; one in twenty has the wrong label. */
function points(): string {
  let state = 1;
  // Numerical Recipes' linear congruential generator: the same file everywhere.
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const lines = Array.from({ length: ROWS }, () => {
    const [x, y] = [2 * random() - 1, 2 * random() - 1];
    const isInside = x * x + y * y > 0.25 && x * x + y * y < 0.75;
    return `${x.toFixed(4)},${y.toFixed(4)},${random() < 0.05 ? !isInside : isInside}`;
  });
  return `x,y,inside\n${lines.join('\n')}\n`;
}
