// The folder that a run leaves: progress.jsonl grows round by round, checkpoints/<rounds>/ and result.json appear whole.

import { appendFile, mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { visibleText } from '../../../kernels/visibleText.ts';
import { Checkpoint, CHECKPOINT_FILE, MODEL_FILE } from '../../checkpoint/checkpoint.ts';
import type { Metrics, ResultRecord } from '../result.ts';
import { sweepUnfinished, writeFailure, writeFileAtomically, writeFolderAtomically } from './atomicWrite.ts';
import { goesOnIn, type RunStart } from './earlierRun.ts';
import { surplusCheckpoints, type KeepRule, type SavedCheckpoint } from './keepCheckpoints.ts';

interface Saved extends SavedCheckpoint {
  readonly path: string;
}

export class RunFolder {
  readonly path: string;
  readonly #keep: KeepRule;
  readonly #checkpointsPath: string;
  readonly #saved: Saved[] = [];
  /** Checkpoints of an earlier run under the same name; they go when this run has its first. */
  #stale: string[];
  /** Whether result.json is still that of the run which this one goes on from. */
  #hasEarlierResult: boolean;

  private constructor(path: string, keep: KeepRule, stale: string[], hasEarlierResult: boolean) {
    this.path = path;
    this.#keep = keep;
    this.#checkpointsPath = join(path, 'checkpoints');
    this.#stale = stale;
    this.#hasEarlierResult = hasEarlierResult;
  }

  /**
   * Makes the folder, or clears it of an earlier run's result and progress. Where the run goes on from a checkpoint in the
   * folder, what is there stays.
   * @throws RunFolderTakenError before anything is changed; ResultWriteError
   */
  static async open(path: string, keep: KeepRule, start: RunStart): Promise<RunFolder> {
    const goesOn = await goesOnIn(path, start);
    const checkpoints = join(path, 'checkpoints');
    try {
      await mkdir(path, { recursive: true });
      if (!goesOn) {
        await rm(join(path, 'result.json'), { force: true });
        await writeFile(join(path, 'progress.jsonl'), '');
      }
      for (const folder of [path, checkpoints]) await sweepUnfinished(folder);
      const names = goesOn ? [] : await readdir(checkpoints).catch((): string[] => []);
      return new RunFolder(
        path,
        keep,
        names.map((name) => join(checkpoints, name)),
        goesOn && (await stat(join(path, 'result.json')).catch(() => undefined)) !== undefined,
      );
    } catch (error) {
      throw writeFailure(error, path);
    }
  }

  /** @throws ResultWriteError */
  async appendProgress(lines: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const path = join(this.path, 'progress.jsonl');
    try {
      await this.#removeEarlierResult();
      await appendFile(path, lines.map((line) => `${visibleText(JSON.stringify(line))}\n`).join(''));
    } catch (error) {
      throw writeFailure(error, path);
    }
  }

  /** A file of the run's own beside its record, in place of an earlier one. @throws ResultWriteError */
  async writeBeside(name: string, content: string): Promise<void> {
    await writeFileAtomically(join(this.path, name), content);
  }

  /** Writes checkpoints/<rounds>/, returns its path, and removes those that the rule gives up. @throws ResultWriteError */
  async saveCheckpoint(
    rounds: number,
    modelText: string | undefined,
    metrics: Metrics,
    beside: Readonly<Record<string, string | Uint8Array>> = {},
  ): Promise<string> {
    const path = join(this.#checkpointsPath, String(rounds));
    try {
      await this.#removeEarlierResult();
      await mkdir(this.#checkpointsPath, { recursive: true });
    } catch (error) {
      throw writeFailure(error, path);
    }
    const facts = {
      name: CHECKPOINT_FILE,
      content: `${JSON.stringify({ format: 1, rounds, metrics }, null, 2)}\n`,
    };
    if (modelText === undefined) await writeFolderAtomically(path, facts, beside);
    else {
      const model = { name: MODEL_FILE, content: modelText };
      await writeFolderAtomically(path, model, { ...beside, [facts.name]: facts.content });
    }
    const earlier = this.#saved.findIndex((saved) => saved.rounds === rounds);
    if (earlier !== -1) this.#saved.splice(earlier, 1);
    this.#saved.push({ rounds, metrics, path });
    const surplus = surplusCheckpoints(this.#saved, this.#keep);
    for (const checkpoint of surplus) this.#saved.splice(this.#saved.indexOf(checkpoint), 1);
    const stale = this.#stale.filter((name) => name !== path);
    this.#stale = [];
    for (const gone of [...surplus.map((checkpoint) => checkpoint.path), ...stale]) {
      await rm(gone, { recursive: true, force: true });
    }
    return path;
  }

  /** Folders of those that are on disk, oldest first. */
  savedPaths(): string[] {
    return this.#saved.map(({ path }) => path);
  }

  /** The same, opened. */
  checkpoints(): Checkpoint[] {
    return this.savedPaths().map((path) => new Checkpoint(path));
  }

  /** Path of a checkpoint as result.json keeps it. */
  relativePath(path: string): string {
    return relative(this.path, path).split('\\').join('/');
  }

  async #removeEarlierResult(): Promise<void> {
    if (!this.#hasEarlierResult) return;
    this.#hasEarlierResult = false;
    await rm(join(this.path, 'result.json'), { force: true });
  }

  /**
   * A run that ends before its first round leaves the result of the one that it was to go on from.
   * @throws ResultWriteError; a folder in which there is nothing but the empty progress file goes then.
   */
  async writeResult(record: ResultRecord): Promise<void> {
    if (this.#hasEarlierResult && record.status !== 'finished') return;
    try {
      await writeFileAtomically(
        join(this.path, 'result.json'),
        `${visibleText(JSON.stringify(record, null, 2))}\n`,
      );
    } catch (error) {
      const progress = join(this.path, 'progress.jsonl');
      if ((await stat(progress).catch(() => undefined))?.size === 0) await rm(progress, { force: true });
      await rmdir(this.path).catch(() => undefined);
      throw error;
    }
  }
}
