// From the path of a config file to a checked config whose paths are absolute.

import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TabgradError } from '../../kernels/errors.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';
import { ConfigInvalidError, ExpressionError } from './expression/configErrors.ts';
import type { Config } from './configSchema.ts';
import { optionProblems, shortened, shownValue, type OptionProblem } from '../schema/optionSentences.ts';
import type { NeuralConfig } from './neuralConfigSchema.ts';
import { trainerNames, trainerSchemas } from './trainerSchemas.ts';
import { nearestWord } from '../../shared/text/nearestWord.ts';
import { parseExpression } from './expression/parseExpression.ts';
import { readConfigFile } from './readConfigFile.ts';

/** Of a config, told at once. */
const MAX_PROBLEMS = 20;
const MAX_SENTENCE = 2_000;

/** A config whose sources and folders no longer depend on where the file lies. */
type Loaded<C extends Config | NeuralConfig> = Omit<C, 'data' | 'runConfig'> & {
  readonly file: string;
  readonly data: Omit<Config['data'], 'train' | 'valid'> & {
    readonly train: readonly string[];
    readonly valid: readonly string[] | null;
  };
  readonly runConfig: Config['runConfig'] & { readonly name: string };
};

export type LoadedConfig = Loaded<Config>;
export type LoadedNeuralConfig = Loaded<NeuralConfig>;

/**
 * Reads and checks a config file. Paths in it are relative to its own folder.
 * @throws ConfigUnreadableError, ConfigSyntaxError, or ConfigInvalidError with a line for each problem.
 */
export async function loadAnyConfig(file: string, cwd: string): Promise<LoadedConfig | LoadedNeuralConfig> {
  const input = await readConfigFile(file, cwd);
  const config = checkAnyConfig(input, file);
  const folder = dirname(resolve(cwd, file));
  return config.trainer === 'neural'
    ? resolveNeuralPaths(config, file, folder)
    : resolveTreePaths(config, file, folder);
}

/** The same for what works on trees alone. */
export async function loadConfig(file: string, cwd: string): Promise<LoadedConfig> {
  const config = await loadAnyConfig(file, cwd);
  return config.trainer === 'gbdt' ? config : failForTrees(file);
}

/** Checks a config value. `file` is named in messages. */
export function checkConfig(input: unknown, file: string): Config {
  const config = checkAnyConfig(input, file);
  return config.trainer === 'gbdt' ? config : failForTrees(file);
}

function checkAnyConfig(input: unknown, file: string): Config | NeuralConfig {
  const schema = trainerSchemas[trainerOf(input, file)];
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const told = { whole: 'the whole config', most: MAX_PROBLEMS + 1 };
    fail(file, optionProblems(parsed.error, input, schema, told));
  }
  const config = parsed.data;
  const problems = [
    ...derivedProblems(config.derive),
    ...(config.trainer === 'gbdt' ? parameterProblems(config.params) : []),
  ];
  if (problems.length > 0) fail(file, problems);
  return config;
}

/** Trees where the config has none or is no object: the schema says the rest. */
function trainerOf(input: unknown, file: string): keyof typeof trainerSchemas {
  const named: unknown =
    typeof input === 'object' && input !== null && 'trainer' in input ? input.trainer : 'gbdt';
  const known = trainerNames.find((name) => name === named);
  if (known) return known;
  const nearest = typeof named === 'string' ? nearestWord(named, trainerNames) : undefined;
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const sentence = `trainer is ${shownValue(named)}; expected one of ${trainerNames.join(', ')}${hint}`;
  return fail(file, [{ field: 'trainer', sentence }]);
}

function failForTrees(file: string): never {
  return fail(file, [{ field: 'trainer', sentence: 'trainer is "neural"; expected "gbdt" here' }]);
}

/** Expressions have a language of their own. */
function derivedProblems(derive: Config['derive']): OptionProblem[] {
  const problems: OptionProblem[] = [];
  for (const [name, text] of Object.entries(derive)) {
    try {
      parseExpression(text);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      problems.push({ field: `derive.${name}`, sentence: `derive.${name}: ${error.message}` });
    }
  }
  return problems;
}

/** XGBoost's parameters are checked by their own registry, before anything is started. */
function parameterProblems(params: Config['params']): OptionProblem[] {
  try {
    resolveParams(params);
    return [];
  } catch (error) {
    if (!(error instanceof TabgradError)) throw error;
    return [{ field: error.place.field ?? 'params', sentence: error.message }];
  }
}

function fail(file: string, problems: readonly OptionProblem[]): never {
  const field = problems[0]?.field.slice(0, MAX_SENTENCE) ?? '';
  const lines = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ sentence }) => `${file}: ${shortened(sentence, MAX_SENTENCE)}`);
  if (problems.length > MAX_PROBLEMS) lines.push(`${file}: and more that is not told here`);
  throw new ConfigInvalidError(lines.join('\n'), { file, field });
}

function resolveTreePaths(config: Config, file: string, folder: string): LoadedConfig {
  const resolved = (
    key: 'xgbModel' | 'resumeFromCheckpoint',
  ): Pick<Config, 'xgbModel' | 'resumeFromCheckpoint'> => {
    const path = config[key];
    return path === undefined ? {} : { [key]: resolveSource(path, folder) };
  };
  return {
    ...config,
    ...resolveSections(config, file, folder),
    ...resolved('xgbModel'),
    ...resolved('resumeFromCheckpoint'),
  };
}

function resolveNeuralPaths(config: NeuralConfig, file: string, folder: string): LoadedNeuralConfig {
  const { model, resumeFromCheckpoint: from } = config;
  return {
    ...config,
    ...resolveSections(config, file, folder),
    model: typeof model === 'string' ? resolveSource(model, folder) : model,
    ...(from !== undefined && { resumeFromCheckpoint: resolveSource(from, folder) }),
  };
}

function resolveSections(
  { data, runConfig, project }: Config | NeuralConfig,
  file: string,
  folder: string,
): Pick<LoadedConfig, 'data' | 'file' | 'project' | 'runConfig'> {
  const sources = (source: string | string[]): string[] =>
    (Array.isArray(source) ? source : [source]).map((entry) => resolveSource(entry, folder));
  return {
    file,
    data: {
      ...data,
      train: sources(data.train),
      valid: data.valid === null ? null : sources(data.valid),
    },
    runConfig: {
      ...runConfig,
      name: runConfig.name ?? basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-'),
      storagePath: resolve(folder, runConfig.storagePath),
    },
    ...(project !== undefined && { project: resolve(folder, project) }),
  };
}

/** An absolute path, or an address as it is. */
export function resolveSource(source: string, folder: string): string {
  if (source.startsWith('file://')) return fileURLToPath(source);
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : resolve(folder, source);
}
