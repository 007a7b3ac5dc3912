// The formats of dumps, by XGBoost's names. To add one: its file and a line here.

import { PredictArgumentError } from '../errors/gbdtErrors.ts';
import type { GbdtModel, ModelTree } from '../model/model.ts';
import { dumpDot } from './dumpDot.ts';
import { dumpJson } from './dumpJson.ts';
import { dumpText } from './dumpText.ts';

const formats = { text: dumpText, json: dumpJson, dot: dumpDot } as const satisfies Readonly<
  Record<string, (model: GbdtModel, tree: ModelTree, withStats: boolean) => string>
>;
/** Formats of dumps of trees. */
export type DumpFormat = keyof typeof formats;
export const dumpFormats = Object.keys(formats) as readonly DumpFormat[];

/** How trees are dumped. */
export interface DumpOptions {
  /** Default "text". */
  readonly format?: DumpFormat;
  /** Gain and cover of nodes. Default false. */
  readonly withStats?: boolean;
}

/**
 * The trees, one text each, as XGBoost's Booster.get_dump. A tree whose leaves have several values is one for each here, and
 * leaves of DART are multiplied by their tree's weight.
 * @throws PredictArgumentError for a linear model.
 */
export function dumpTrees(
  model: GbdtModel,
  { format = 'text', withStats = false }: DumpOptions = {},
): string[] {
  if (model.linear) throw new PredictArgumentError('The model is linear: it has no trees to dump.');
  return model.trees.map((tree) => formats[format](model, tree, withStats));
}
