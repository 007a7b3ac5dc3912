// Real XGBoost 1.7.5 as the oracle: the C library inside npm xgboost_node, called through koffi. Linux x64 only, like
// the package.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import koffi from 'koffi';

const libraryPath = path.resolve(import.meta.dirname, '../../node_modules/xgboost_node/lib/libxgboost.so');

interface Library {
  call(name: string, ...args: unknown[]): void;
}

function openLibrary(): Library {
  const library = koffi.load(libraryPath);
  const declared = new Map(
    [
      'int XGDMatrixCreateFromMat(const float *data, uint64_t nrow, uint64_t ncol, float missing, _Out_ void **out)',
      'int XGDMatrixFree(void *handle)',
      'int XGDMatrixSetFloatInfo(void *handle, const char *field, const float *array, uint64_t len)',
      'int XGDMatrixSetStrFeatureInfo(void *handle, const char *field, const char **features, uint64_t size)',
      'int XGBoosterCreate(void **dmats, uint64_t len, _Out_ void **out)',
      'int XGBoosterFree(void *handle)',
      'int XGBoosterSetParam(void *handle, const char *name, const char *value)',
      'int XGBoosterUpdateOneIter(void *handle, int iter, void *dtrain)',
      'int XGBoosterEvalOneIter(void *handle, int iter, void **dmats, const char **names, uint64_t len, _Out_ const char **out)',
      'int XGBoosterPredict(void *handle, void *dmat, int option, uint32_t ntree_limit, int training, _Out_ uint64_t *len, _Out_ float **out)',
      'int XGBoosterDumpModelEx(void *handle, const char *fmap, int with_stats, const char *format, _Out_ uint64_t *len, _Out_ void **out)',
      'int XGBoosterSaveModel(void *handle, const char *fname)',
      'int XGBoosterLoadModel(void *handle, const char *fname)',
      'int XGBoosterSetAttr(void *handle, const char *key, const char *value)',
    ].map((signature) => [/ (\w+)\(/.exec(signature)![1]!, library.func(signature)]),
  );
  const lastError = library.func('const char *XGBGetLastError()');
  return {
    call(name, ...args) {
      const status = declared.get(name)!(...args) as number;
      if (status !== 0) throw new Error(`${name}: ${String(lastError())}`);
    },
  };
}

export interface OracleData {
  /** One array of values a feature; NaN is missing. */
  readonly columns: readonly Float32Array[];
  readonly labels: ArrayLike<number>;
  readonly weights?: ArrayLike<number>;
  /** True for categorical features. */
  readonly categorical?: readonly boolean[];
  /** What `denseRows` makes of the columns, where making it is not to be timed. */
  readonly dense?: Float32Array;
}

/** Values row by row, as XGBoost's C interface takes them. */
export function denseRows(columns: readonly Float32Array[]): Float32Array {
  const rows = columns[0]!.length;
  const dense = new Float32Array(rows * columns.length);
  columns.forEach((column, f) => column.forEach((value, row) => (dense[row * columns.length + f] = value)));
  return dense;
}

export interface OracleTraining {
  /** Values by "name-metric", one a round. */
  readonly history: Record<string, number[]>;
  readonly booster: OracleBooster;
}

export interface OracleBooster {
  predict(data: OracleData, options?: { outputMargin?: boolean }): Float32Array;
  /** Milliseconds that predicting takes once the matrix is made. */
  timePredict(data: OracleData): number;
  /** Text of the model's JSON file. */
  save(): string;
  /** A text a tree. */
  dump(format: 'text' | 'json' | 'dot', withStats: boolean): string[];
  /** Bytes of the model's file of UBJSON. */
  saveUbjson(): Uint8Array;
}

const library = openLibrary();

type Handle = object;

function makeMatrix({
  columns,
  labels,
  weights,
  categorical,
  dense = denseRows(columns),
}: OracleData): Handle {
  const rows = columns[0]!.length;
  const out: [Handle | null] = [null];
  library.call('XGDMatrixCreateFromMat', dense, rows, columns.length, NaN, out);
  const matrix = out[0]!;
  if (labels.length > 0)
    library.call('XGDMatrixSetFloatInfo', matrix, 'label', Float32Array.from(labels), rows);
  if (weights !== undefined) {
    library.call('XGDMatrixSetFloatInfo', matrix, 'weight', Float32Array.from(weights), rows);
  }
  if (categorical?.includes(true) === true) {
    const types = categorical.map((yes) => (yes ? 'c' : 'float'));
    library.call('XGDMatrixSetStrFeatureInfo', matrix, 'feature_type', types, types.length);
  }
  return matrix;
}

function predictWith(
  booster: Handle,
  data: OracleData,
  outputMargin: boolean,
): { readonly values: Float32Array; readonly ms: number } {
  const matrix = makeMatrix(data);
  try {
    const length: [number | bigint] = [0];
    const out: [unknown] = [null];
    const begun = performance.now();
    library.call('XGBoosterPredict', booster, matrix, outputMargin ? 1 : 0, 0, 0, length, out);
    const ms = performance.now() - begun;
    const values = koffi.decode(out[0], koffi.array('float', Number(length[0]))) as ArrayLike<number>;
    return { values: Float32Array.from(values), ms };
  } finally {
    library.call('XGDMatrixFree', matrix);
  }
}

/** XGBoost tells formats by the file's name. */
function withFile<T>(use: (file: string) => T, name = 'model.json'): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-oracle-'));
  try {
    return use(path.join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function wrap(booster: Handle): OracleBooster {
  return {
    predict: (data, options) => predictWith(booster, data, options?.outputMargin === true).values,
    timePredict: (data) => predictWith(booster, data, false).ms,
    save: () =>
      withFile((file) => {
        library.call('XGBoosterSaveModel', booster, file);
        return readFileSync(file, 'utf8');
      }),
    dump(format, withStats) {
      const length: [number | bigint] = [0];
      const out: [unknown] = [null];
      library.call('XGBoosterDumpModelEx', booster, '', withStats ? 1 : 0, format, length, out);
      return koffi.decode(out[0], koffi.array('const char *', Number(length[0]))) as string[];
    },
    saveUbjson: () =>
      withFile((file) => {
        library.call('XGBoosterSaveModel', booster, file);
        return readFileSync(file);
      }, 'model.ubj'),
  };
}

/** Trains real XGBoost. Boosters live as long as the test process. */
export function trainOracle(
  params: Readonly<Record<string, string | number | readonly string[]>>,
  train: OracleData,
  rounds: number,
  sets: Readonly<Record<string, OracleData>> = {},
  startFrom?: string,
): OracleTraining {
  const matrix = makeMatrix(train);
  const names = Object.keys(sets);
  const matrices = names.map((name) => (sets[name] === train ? matrix : makeMatrix(sets[name]!)));
  const out: [Handle | null] = [null];
  library.call('XGBoosterCreate', [matrix, ...matrices], 1 + matrices.length, out);
  const booster = out[0]!;
  if (startFrom !== undefined) {
    withFile((file) => {
      writeFileSync(file, startFrom);
      library.call('XGBoosterLoadModel', booster, file);
    });
  }
  const set = (name: string, value: string): void => library.call('XGBoosterSetParam', booster, name, value);
  set('nthread', '1');
  set('tree_method', 'hist');
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) set(name, String(one));
  }
  const history: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    library.call('XGBoosterUpdateOneIter', booster, round, matrix);
    if (names.length === 0) continue;
    const text: [string] = [''];
    library.call('XGBoosterEvalOneIter', booster, round, matrices, names, names.length, text);
    for (const [, name, value] of text[0].matchAll(/\t([^:\t]+):(\S+)/g)) {
      (history[name!] ??= []).push(Number(value));
    }
  }
  for (const one of new Set([matrix, ...matrices])) library.call('XGDMatrixFree', one);
  return { history, booster: wrap(booster) };
}

export interface OracleMatrix {
  /** A booster that trains on this matrix, one round a call. What hist keeps of the matrix is shared by all of them. */
  startBooster(params: Readonly<Record<string, string | number>>): {
    update(round: number): void;
    evaluate(round: number): string;
    free(): void;
  };
  free(): void;
}

/** Data held by real XGBoost, to time its rounds one by one. */
export function holdMatrix(data: OracleData): OracleMatrix {
  const matrix = makeMatrix(data);
  return {
    startBooster(params: Readonly<Record<string, string | number>>) {
      const out: [Handle | null] = [null];
      library.call('XGBoosterCreate', [matrix], 1, out);
      const booster = out[0]!;
      library.call('XGBoosterSetParam', booster, 'tree_method', 'hist');
      for (const [name, value] of Object.entries(params)) {
        library.call('XGBoosterSetParam', booster, name, String(value));
      }
      return {
        update: (round) => library.call('XGBoosterUpdateOneIter', booster, round, matrix),
        evaluate(round) {
          const text: [string] = [''];
          library.call('XGBoosterEvalOneIter', booster, round, [matrix], ['train'], 1, text);
          return text[0];
        },
        free: () => library.call('XGBoosterFree', booster),
      };
    },
    free: () => library.call('XGDMatrixFree', matrix),
  };
}

/** Loads a model file into real XGBoost: text is JSON, bytes are UBJSON. */
export function loadOracle(model: string | Uint8Array): OracleBooster {
  const out: [Handle | null] = [null];
  library.call('XGBoosterCreate', [], 0, out);
  const booster = out[0]!;
  withFile(
    (file) => {
      writeFileSync(file, model);
      library.call('XGBoosterLoadModel', booster, file);
    },
    typeof model === 'string' ? 'model.json' : 'model.ubj',
  );
  library.call('XGBoosterSetParam', booster, 'nthread', '1');
  return wrap(booster);
}
