// The trees of a run as the record has them: as XGBoost's model file, one by one, and added up by feature. Rounds are read
// page by page, and the model is never held as a whole.

import { setImmediate } from 'node:timers/promises';
import { ImportanceSums } from '../../../shared/gbdt/model/featureImportance.ts';
import { modelFrame, modelTrees } from '../../../shared/gbdt/model/buildModel.ts';
import { featureName, modelCategories, modelRounds } from '../../../shared/gbdt/model/model.ts';
import type { CategoryName, GbdtModel, ModelTree } from '../../../shared/gbdt/model/model.ts';
import { readModelParts, type ModelParts } from '../../../shared/gbdt/model/modelParts.ts';
import { writeModelPieces } from '../../../shared/gbdt/model/writeModel.ts';
import { readRoundTrees, treeBounds } from '../../../shared/gbdt/readRoundTrees.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import type { ImportanceAnswer, ToldNode, TreeAnswer } from '../../../shared/api/runModel.ts';
import { NotFoundError } from '../../http/httpErrors.ts';
import type { AskedRun, RunArchive } from './runArchive.ts';
import { RunModelUnavailableError } from './runErrors.ts';

/** Rounds read at a time. */
const PAGE = 16;
const MAX_FEATURES = 200;
/** Nodes of a tree that are told of; the first ones, which are those nearest to the root. */
const MAX_NODES = 20_000;

type Archive = Pick<RunArchive, 'roundsFrom'>;

export interface RecordedTreesInput {
  readonly archive: Archive;
  readonly runId: string;
  readonly request: AskedRun['request'];
  /** Rounds that the record has. */
  readonly recorded: number;
}

export class RecordedTrees {
  readonly #archive: Archive;
  readonly #runId: string;
  readonly #spec: TrainSpec;
  readonly #parts: ModelParts;
  readonly #recorded: number;

  /** @throws RunModelUnavailableError where the run has no trees, or the record lacks what models are made with. */
  constructor({ archive, runId, request, recorded }: RecordedTreesInput) {
    const { spec, modelParts } = request;
    if (spec.trainer !== 'gbdt') {
      throw new RunModelUnavailableError(
        `Run "${runId}" trains no trees (its trainer is "${spec.trainer}").`,
      );
    }
    if (modelParts === undefined) {
      throw new RunModelUnavailableError(
        `The record of run "${runId}" lacks the thresholds of its bins: an earlier version of tabgrad asked for it, or ` +
          'they are too many. Its owner has the model in the folder of the run.',
      );
    }
    this.#archive = archive;
    this.#runId = runId;
    this.#spec = spec;
    this.#parts = partsOf(runId, modelParts, spec);
    this.#recorded = recorded;
  }

  /**
   * The model file in pieces.
   * @param rounds of the model, those of a model that the run goes on from included; all that are recorded by default.
   * @throws NotFoundError when there are fewer.
   */
  modelFile(rounds = this.#allRounds): AsyncGenerator<string> {
    const own = rounds - this.#earlierRounds;
    if (own < 0 || own > this.#recorded || rounds === 0) {
      const least = Math.max(1, this.#earlierRounds);
      throw new NotFoundError(
        this.#allRounds === 0
          ? `Run "${this.#runId}" has no round yet.`
          : `Run "${this.#runId}" has models of ${least} to ${this.#allRounds} rounds, none of ${rounds}.`,
      );
    }
    return writeModelPieces(modelFrame(this.#parts, own), this.#trees(own));
  }

  async importance(): Promise<ImportanceAnswer> {
    const sums = new ImportanceSums();
    const frame = modelFrame(this.#parts, 0);
    for (const tree of this.#parts.continued?.trees ?? []) sums.add(tree);
    for await (const trees of this.#rounds(0, this.#recorded)) for (const tree of trees) sums.add(tree);
    const model = { ...frame, trees: [] };
    const ranked = sums.features
      .map(({ index, total_gain: totalGain, total_cover: totalCover, ...means }) => {
        return { feature: featureName(model, index), ...means, totalGain, totalCover };
      })
      .sort((a, b) => b.gain - a.gain);
    return { rounds: this.#allRounds, features: ranked.slice(0, MAX_FEATURES), used: ranked.length };
  }

  /** @param tree counted from 0 in the whole model. @throws NotFoundError */
  async tree(tree: number): Promise<TreeAnswer> {
    const frame: GbdtModel = { ...modelFrame(this.#parts, this.#recorded), trees: [] };
    const outputs = this.#spec.device.outputs;
    const trees = frame.treeOutputs.length;
    const earlier = this.#parts.continued?.trees ?? [];
    let found = earlier[tree];
    if (!found) {
      const own = tree - earlier.length;
      const round = Math.floor(own / outputs);
      for await (const read of this.#rounds(round, Math.min(this.#recorded, round + 1))) {
        found = modelTrees(read, this.#parts)[own % outputs];
      }
    }
    if (!found)
      throw new NotFoundError(`Run "${this.#runId}" has ${trees} trees, none with the number ${tree}.`);
    return {
      trees,
      tree,
      ...(outputs > 1 && { output: frame.treeOutputs[tree] ?? 0 }),
      nodes: nodesOf(found, frame),
    };
  }

  get #earlierRounds(): number {
    return this.#parts.continued ? modelRounds(this.#parts.continued) : 0;
  }

  get #allRounds(): number {
    return this.#earlierRounds + this.#recorded;
  }

  async *#trees(own: number): AsyncGenerator<ModelTree> {
    yield* this.#parts.continued?.trees ?? [];
    for await (const round of this.#rounds(0, own)) yield* modelTrees(round, this.#parts);
  }

  /** Rounds [from, to), each with its trees. */
  async *#rounds(from: number, to: number): AsyncGenerator<BinnedTree[]> {
    const bounds = treeBounds(this.#spec);
    for (let next = from; next < to;) {
      const page = await this.#archive.roundsFrom(this.#runId, next, Math.min(PAGE, to - next));
      if (page.length === 0) return;
      for (const { payload } of page) yield readRoundTrees(payload, bounds);
      next += page.length;
      await setImmediate();
    }
  }
}

/** An owner's program wrote them. */
function partsOf(runId: string, written: unknown, { features }: TrainSpec): ModelParts {
  try {
    const parts = readModelParts(written);
    if (parts.features.length === features.length) return parts;
  } catch {
    // Told below.
  }
  throw new RunModelUnavailableError(`What models of run "${runId}" are made with does not fit its spec.`);
}

function nodesOf(tree: ModelTree, model: GbdtModel): ToldNode[] {
  const categories = modelCategories(model);
  const told = Math.min(tree.left.length, MAX_NODES);
  return Array.from({ length: told }, (_, node): ToldNode => {
    const [left, right] = [tree.left[node]!, tree.right[node]!];
    const cover = tree.cover[node]!;
    const value = tree.threshold[node]!;
    if (left === -1) return { value, cover };
    const feature = featureName(model, tree.feature[node]!);
    const words = tree.categories.get(node);
    return {
      ...(right < told && { left, right }),
      feature,
      ...(words ? { categories: categoryNames(words, categories.get(feature)) } : { threshold: value }),
      missing: tree.defaultLeft[node] === 1 ? 'left' : 'right',
      gain: tree.gain[node]!,
      cover,
    };
  });
}

/** Those whose bits are set: they go right. */
function categoryNames(words: Uint32Array, names: readonly CategoryName[] | undefined): CategoryName[] {
  const codes = Array.from({ length: words.length * 32 }, (_, code) => code);
  return codes
    .filter((code) => ((words[code >> 5]! >>> (code & 31)) & 1) === 1)
    .map((code) => names?.[code] ?? code);
}
