// From the path of a config file to a checked config whose paths are absolute.

import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TabgradError } from '../../shared/errors.ts';
import { resolveParams } from '../../shared/gbdt/params.ts';
import { ConfigInvalidError, ExpressionError } from './configErrors.ts';
import { configSchema, type Config } from './configSchema.ts';
import { describeIssue, type ConfigProblem } from './describeIssue.ts';
import { parseExpression } from './expression/parseExpression.ts';
import { readConfigFile } from './readConfigFile.ts';

/** A config whose sources and folders no longer depend on where the file lies. */
export interface LoadedConfig extends Omit<Config, 'data' | 'runConfig'> {
  readonly file: string;
  readonly data: Omit<Config['data'], 'train' | 'valid'> & {
    readonly train: readonly string[];
    readonly valid: readonly string[] | null;
  };
  readonly runConfig: Config['runConfig'] & { readonly name: string };
}

/**
 * Reads and checks a config file. Paths in it are relative to its own folder.
 * @throws ConfigUnreadableError, ConfigSyntaxError, or ConfigInvalidError with a line for each problem.
 */
export async function loadConfig(file: string, cwd: string): Promise<LoadedConfig> {
  const input = await readConfigFile(file, cwd);
  return resolvePaths(checkConfig(input, file), file, dirname(resolve(cwd, file)));
}

/** Checks a config value. `file` is named in messages. */
export function checkConfig(input: unknown, file: string): Config {
  const parsed = configSchema.safeParse(input);
  if (!parsed.success)
    fail(
      file,
      parsed.error.issues.flatMap((issue) => describeIssue(issue, input)),
    );
  const problems = [...crossChecks(parsed.data), ...parameterProblems(parsed.data.params)];
  if (problems.length > 0) fail(file, problems);
  return parsed.data;
}

/** What no single key can tell. */
function crossChecks(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { data, derive, scalingConfig } = config;
  if (data.valid !== null && data.testSize !== undefined)
    problems.push({ field: 'data.testSize', sentence: 'data.testSize and data.valid exclude each other' });
  if (Array.isArray(scalingConfig.numWorkers) && scalingConfig.numWorkers[0] > scalingConfig.numWorkers[1])
    problems.push({
      field: 'scalingConfig.numWorkers',
      sentence: `scalingConfig.numWorkers is [${scalingConfig.numWorkers.join(', ')}], expected the fewest first`,
    });
  if (config.xgbModel !== undefined && config.resumeFromCheckpoint !== undefined)
    problems.push({ field: 'xgbModel', sentence: 'xgbModel and resumeFromCheckpoint exclude each other' });
  if (config.earlyStoppingRounds !== undefined && data.valid === null && data.testSize === undefined)
    problems.push({
      field: 'earlyStoppingRounds',
      sentence: 'earlyStoppingRounds needs rows to validate on: set data.testSize or data.valid',
    });
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
function parameterProblems(params: Config['params']): ConfigProblem[] {
  try {
    resolveParams(params);
    return [];
  } catch (error) {
    if (!(error instanceof TabgradError)) throw error;
    return [{ field: error.place.field ?? 'params', sentence: error.message }];
  }
}

function fail(file: string, problems: readonly ConfigProblem[]): never {
  const field = problems[0]?.field ?? '';
  throw new ConfigInvalidError(problems.map(({ sentence }) => `${file}: ${sentence}`).join('\n'), {
    file,
    field,
  });
}

function resolvePaths(config: Config, file: string, folder: string): LoadedConfig {
  const sources = (source: string | string[]): string[] =>
    (Array.isArray(source) ? source : [source]).map((entry) => resolveSource(entry, folder));
  const resolved = (
    key: 'xgbModel' | 'resumeFromCheckpoint',
  ): Pick<Config, 'xgbModel' | 'resumeFromCheckpoint'> => {
    const path = config[key];
    return path === undefined ? {} : { [key]: resolveSource(path, folder) };
  };
  return {
    ...config,
    file,
    data: {
      ...config.data,
      train: sources(config.data.train),
      valid: config.data.valid === null ? null : sources(config.data.valid),
    },
    ...resolved('xgbModel'),
    ...resolved('resumeFromCheckpoint'),
    runConfig: {
      ...config.runConfig,
      name: config.runConfig.name ?? basename(file, extname(file)).replaceAll(/[^\w.-]/g, '-'),
      storagePath: resolve(folder, config.runConfig.storagePath),
    },
  };
}

/** An absolute path, or an address as it is. */
export function resolveSource(source: string, folder: string): string {
  if (source.startsWith('file://')) return fileURLToPath(source);
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : resolve(folder, source);
}
