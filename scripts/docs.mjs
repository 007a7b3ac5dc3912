// Writes the tables of docs/ from the definitions in the code: errors, parameters, commands and config keys.
// `npm run docs` writes them; `npm run docs -- --check` only says which are out of date, and fails if any is.
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';
import { z } from 'zod';
import { buildWasm } from './wasm.mjs';

await buildWasm();
register();
const { errorCodes } = await import('../kernels/errors.ts');
const { parameterDefinitions } = await import('../shared/gbdt/parameterRegistry.ts');
const { commands } = await import('../coordinator/cli/commands/commands.ts');
const { commonOptions } = await import('../coordinator/cli/command.ts');
const { optionRows, usageLine } = await import('../coordinator/cli/helpText.ts');
const { exitCodeMeanings } = await import('../coordinator/cli/exitCodes.ts');
const { trainerSchemas } = await import('../coordinator/config/trainerSchemas.ts');
const { attachOptions } = await import('../coordinator/train/run/attachRun.ts');
const { gbdtOptions } = await import('../coordinator/train/gbdt/trainerOptions.ts');
const { neuralOptions } = await import('../coordinator/train/neural/neuralOptions.ts');
const { loopOptions } = await import('../coordinator/train/neural/loopOptions.ts');
const { tunerOptions } = await import('../coordinator/tune/run/tuneOptions.ts');
const { gridPlotOptions, resultPlotOptions } = await import('../coordinator/plot/plotOptions.ts');
const { readerOptions } = await import('../coordinator/data/readOptions.ts');
const { deploymentOptions } = await import('../coordinator/core/store/deploymentSettings.ts');
const { runOptions } = await import('../coordinator/serve/serveOptions.ts');
const { layersOptions, treeOptions } = await import('../coordinator/serve/replica/predictorOptions.ts');
const { coordinatorOptions } = await import('../coordinator/core/server/coordinatorOptions.ts');
const { localWorkersOptions } = await import('../coordinator/cluster/local/localWorkersOptions.ts');
const { functions } = await import('../coordinator/config/expression/functions.ts');

const note = '<!-- Written by `npm run docs` from the code. Edit there. -->';
const code = (text) => `\`${text}\``;
const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(headings, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

function errorsPage() {
  return [
    '# Error codes',
    'Every failure that you can meet has one of these codes. The message beside it says what was wrong, what was expected and where.',
    'In code: `error instanceof TabgradError`, then `error.code` and `error.place`. On the command line the code comes first on stderr.',
    table(
      ['code', 'meaning'],
      Object.entries(errorCodes).map(([name, meaning]) => [code(name), meaning]),
    ),
  ];
}

/** Floats are held as float32; 0.30000001192092896 was meant to be 0.3. */
function shownDefault(value) {
  if (Array.isArray(value)) return value.join(', ');
  return String(typeof value === 'number' ? Number(value.toPrecision(7)) : value);
}

function parametersPage() {
  const value = (given) => (given === '' || given.length === 0 ? 'none' : code(given));
  return [
    '# Training parameters',
    "Names and ranges are XGBoost's, defaults those of XGBoost 1.7. An unknown name or a value out of range is an error that names the parameter and the nearest valid one.",
    table(
      ['parameter', 'also', 'default', 'valid', 'meaning'],
      Object.entries(parameterDefinitions).map(([name, { aliases, default: usual, range, doc }]) => [
        code(name),
        aliases.map(code).join(', '),
        value(shownDefault(usual)),
        range,
        doc,
      ]),
    ),
  ];
}

function cliPage() {
  const optionTable = (options) =>
    table(
      ['option', 'meaning'],
      optionRows(options).map(([flag, help]) => [code(flag), help]),
    );
  const section = (command) => [
    `## ${command.name}`,
    `${command.summary}\n\n    ${usageLine(command)}`,
    ...(command.positionals.length === 0
      ? []
      : [command.positionals.map(({ name, help }) => `${code(name)}: ${help}`).join('\n\n')]),
    ...(Object.keys(command.options).length === 0 ? [] : [optionTable(command.options)]),
    command.examples.map(({ command: line, meaning }) => `${meaning}\n\n    ${line}`).join('\n\n'),
  ];
  return [
    '# The command line',
    'Options of every command:',
    optionTable(commonOptions),
    'Answers go to stdout, progress, notices and errors to where a script expects them: with `--json` every line of stdout is one JSON value, and an error is one JSON value on stderr.',
    'Commands that talk to a coordinator take its token from `--token`, from the variable beside it, or from the file that `tabgrad up` left for its user on the same machine (docs/hosting.md). TABGRAD_STATE_DIR names another folder for that file.',
    ...commands.flatMap(section),
    '## Exit codes',
    table(['code', 'meaning'], exitCodeMeanings),
  ];
}

/** One row a key, nested keys with dotted paths. */
function configRows(schema, path = '', required = schema.required ?? []) {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = path === '' ? key : `${path}.${key}`;
    const usual =
      value.default === undefined
        ? required.includes(key)
          ? 'required'
          : ''
        : JSON.stringify(value.default);
    const nested = value.properties !== undefined;
    return [
      [code(name), nested ? '' : kindOf(value), nested ? '' : usual, value.description ?? ''],
      ...configRows(value, name),
    ];
  });
}

function kindOf(schema) {
  if (schema.title) return schema.title;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return [...new Set(forms.map(kindOf))].join(' or ');
  if (schema.type === 'array') return schema.prefixItems ? 'a pair' : 'a list';
  return (
    { string: 'text', integer: 'whole number', object: 'keys and values' }[schema.type] ??
    schema.type ??
    'anything'
  );
}

function rowsOfSchema(schema) {
  return configRows(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
}

function configPage() {
  const rowsOf = (trainer) => rowsOfSchema(trainerSchemas[trainer]);
  const known = new Set(rowsOf('gbdt').map((row) => row.join()));
  return [
    '# Config files',
    '`tabgrad train CONFIG` reads JSON, YAML, or a TypeScript or JavaScript module that exports the config as `config` or as its default. Paths in it are relative to the folder of the file. Unknown keys are errors.',
    table(['key', 'value', 'default', 'meaning'], rowsOf('gbdt')),
    '## Neural nets',
    'With `trainer: neural` the keys are those of `NeuralTrainer`. `data`, `derive`, `columns`, `scalingConfig` and `runConfig` are as above; `examples/neural/moons.yaml` is an example.',
    table(
      ['key', 'value', 'default', 'meaning'],
      rowsOf('neural').filter((row) => !known.has(row.join())),
    ),
    '## Derived columns',
    'The values of `derive` are expressions: numbers, `"text"`, `true` and `false`, column names (in `` `backticks` `` where they are no plain words), `+ - * / %`, `== != < <= > >=`, `&& || !`, parentheses, and these functions. Times are milliseconds since 1970 and read as UTC. A missing value makes the result missing; `&&` and `||` follow SQL.',
    table(
      ['function', 'takes', 'meaning'],
      Object.entries(functions).map(([name, { arity, help }]) => [code(name), arity, help]),
    ),
    '```json\n' +
      JSON.stringify(
        {
          derive: {
            hour: 'hour(date)',
            weekday: 'weekday(date)',
            dayOfYear: 'dayOfYear(date)',
            is_late: 'delay > 15',
          },
          columns: ['hour', 'weekday', 'dayOfYear', 'distance', 'origin', 'destination', 'is_late'],
        },
        null,
        2,
      ) +
      '\n```',
  ];
}

/** Of what scripts pass to the classes and functions of the API: name, words, schema.
 * @type {[string, string, z.ZodType][]} */
const optionTables = [
  ['GBDTTrainer', 'new GBDTTrainer({ … }). XGBoost parameters are in docs/parameters.md.', gbdtOptions],
  ['NeuralTrainer', 'new NeuralTrainer({ … }).', neuralOptions],
  ['DataParallelTrainer', 'new DataParallelTrainer({ … }).', loopOptions],
  [
    'attach',
    'GBDTTrainer.attach(folder, { … }), and that of the other trainers: docs/storage.md.',
    attachOptions,
  ],
  ['Tuner', 'new Tuner({ … }).', tunerOptions],
  [
    'result.plot',
    'result.plot(path, { … }) of a training, and plotResult(result, path, { … }): docs/plots.md.',
    resultPlotOptions,
  ],
  ['grid.plot', 'grid.plot(path, { … }) of an experiment.', gridPlotOptions],
  ...Object.entries(readerOptions).map(([name, schema]) => [name, `${name}(paths, { … }).`, schema]),
  ['Serve.run', 'serve.run(application, { … }).', runOptions],
  ['deployment', 'deployment(target, { … }).', deploymentOptions],
  ['bind, trees', 'deployment(checkpoint).bind({ … }) of boosted trees.', treeOptions],
  ['bind, nets', 'deployment(model).bind({ … }) of a tf.LayersModel.', layersOptions],
  ['startCoordinator', 'startCoordinator({ … }). Times in milliseconds, sizes in bytes.', coordinatorOptions],
  ['startLocalWorkers', 'startLocalWorkers({ … }).', localWorkersOptions],
];

function optionsPage() {
  const seen = new Set();
  return [
    '# Options of the API',
    'What scripts pass to the classes and functions of the API, with their types and defaults. Unknown and wrong ones are refused before anything starts, with an error that names the option. Options that stand in an earlier table with the same meaning (scalingConfig, runConfig and those of files) are not repeated.',
    ...optionTables.flatMap(([name, words, schema]) => {
      const rows = rowsOfSchema(schema).filter((row) => !seen.has(row.join()));
      for (const row of rows) seen.add(row.join());
      return [`## ${name}`, words, table(['option', 'value', 'default', 'meaning'], rows)];
    }),
  ];
}

const pages = {
  'docs/options.md': optionsPage(),
  'docs/errors.md': errorsPage(),
  'docs/parameters.md': parametersPage(),
  'docs/cli.md': cliPage(),
  'docs/config.md': configPage(),
};
const check = process.argv.includes('--check');
const stale = [];
for (const [path, [title, ...blocks]] of Object.entries(pages)) {
  const file = new URL(`../${path}`, import.meta.url);
  const text = `${[title, note, ...blocks].join('\n\n')}\n`;
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // Not written yet.
  }
  if (present === text) continue;
  stale.push(path);
  if (!check) writeFileSync(file, text);
}
console.log(
  stale.length === 0 ? 'docs are current' : `${check ? 'out of date' : 'written'}: ${stale.join(', ')}`,
);
process.exit(check && stale.length > 0 ? 1 : 0);
