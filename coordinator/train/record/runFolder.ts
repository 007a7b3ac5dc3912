// The folder that a run leaves: progress.jsonl grows round by round, checkpoints/<rounds>/ and result.json appear whole.

import { appendFile, mkdir, readdir, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { TabgradError } from '../../../kernels/errors.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { CHECKPOINT_FILE, MODEL_FILE } from '../../checkpoint/checkpoint.ts';
import { lockFolder } from '../../files/processLock.ts';
import type { Metrics, ResultRecord } from '../result.ts';
import { RunFolderTakenError } from '../trainErrors.ts';
import { sweepUnfinished, writeFailure, writeFileAtomically, writeFolderAtomically } from './atomicWrite.ts';
import { goesOnIn, earlierStatus, type RunStart } from './earlierRun.ts';
import { surplusCheckpoints, type KeepRule, type SavedCheckpoint } from './keepCheckpoints.ts';

import { RUN_FILE, type AskedRun, type RunFile } from './runFile.ts';

interface Saved extends SavedCheckpoint {
  readonly path: string;
}

export class RunFolder {
  readonly path: string;
  readonly #keep: KeepRule;
  readonly #checkpointsPath: string;
  readonly #saved: Saved[] = [];
  /** Whether the run goes on from another one in the folder. */
  readonly #goesOn: boolean;
  /** Checkpoints of an earlier run under the same name; they go when this run has its first. */
  #stale: string[];
  /** Whether result.json is still that of the run which this one goes on from, or of an earlier recording of this one. */
  #hasEarlierResult: boolean;
  /** Whether run.json is of this run, and goes when it is over. */
  #ownsRunFile = false;
  readonly #unlock: () => void;

  private constructor(
    path: string,
    unlock: () => void,
    keep: KeepRule,
    stale: string[],
    goesOn: boolean,
    hasEarlierResult: boolean,
  ) {
    this.path = path;
    this.#unlock = unlock;
    this.#goesOn = goesOn;
    this.#keep = keep;
    this.#checkpointsPath = join(path, 'checkpoints');
    this.#stale = stale;
    this.#hasEarlierResult = hasEarlierResult;
  }

  /**
   * Makes the folder, or clears it of an earlier run's result and progress. Where the run goes on from a checkpoint in the
   * folder, what is there stays. The folder is this run's until `close`.
   * @throws RunFolderTakenError before anything is changed; ResultWriteError
   */
  static async open(path: string, keep: KeepRule, start: RunStart): Promise<RunFolder> {
    await goesOnIn(path, start);
    return RunFolder.#locked(path, async (unlock) => {
      // Another run may have ended meanwhile.
      const goesOn = await goesOnIn(path, start);
      if (!goesOn) {
        for (const name of ['result.json', RUN_FILE]) await rm(join(path, name), { force: true });
        await writeFile(join(path, 'progress.jsonl'), '');
      }
      return RunFolder.#over(path, unlock, keep, goesOn);
    });
  }

  /**
   * Opens the folder of a run that is recorded anew from its first round, in place of what another process wrote of it.
   * Lines and checkpoints of the run that it went on from stay.
   * @throws RunFolderTakenError when another process records it; ResultWriteError
   */
  static reopen(path: string, { checkpoints, goesOn, progressBytes }: RunFile): Promise<RunFolder> {
    return RunFolder.#locked(path, async (unlock) => {
      const progress = join(path, 'progress.jsonl');
      const sizeBytes = (await stat(progress).catch(() => undefined))?.size ?? 0;
      if (sizeBytes > progressBytes) await truncate(progress, progressBytes);
      const folder = await RunFolder.#over(path, unlock, checkpoints, goesOn);
      folder.#ownsRunFile = true;
      // What an earlier attempt to record the run says of it is replaced, unless that had all.
      folder.#hasEarlierResult = (await earlierStatus(path)) === 'finished';
      return folder;
    });
  }

  static async #locked(path: string, open: (unlock: () => void) => Promise<RunFolder>): Promise<RunFolder> {
    let unlock: (() => void) | undefined;
    let made: string | undefined;
    try {
      made = await mkdir(path, { recursive: true });
      unlock = lockFolder(path);
      if (unlock) return await open(unlock);
    } catch (error) {
      unlock?.();
      if (made !== undefined) await rmdir(path).catch(() => undefined);
      throw error instanceof TabgradError ? error : writeFailure(error, path);
    }
    throw new RunFolderTakenError(
      `${path} is in use: another process, or another trainer of this one, records a run in it. Wait for its end, or choose another runConfig.name.`,
      { file: path, field: 'runConfig.name' },
    );
  }

  static async #over(path: string, unlock: () => void, keep: KeepRule, goesOn: boolean): Promise<RunFolder> {
    const checkpoints = join(path, 'checkpoints');
    for (const folder of [path, checkpoints]) await sweepUnfinished(folder);
    const names = goesOn ? [] : await readdir(checkpoints).catch((): string[] => []);
    return new RunFolder(
      path,
      unlock,
      keep,
      names.map((name) => join(checkpoints, name)),
      goesOn,
      (await stat(join(path, 'result.json')).catch(() => undefined)) !== undefined,
    );
  }

  /** Lets other runs and processes have the folder. */
  close(): void {
    this.#unlock();
  }

  /** Writes run.json, by which another process can follow the run. @throws ResultWriteError */
  async writeRunFile(run: AskedRun): Promise<void> {
    const progress = await stat(join(this.path, 'progress.jsonl')).catch(() => undefined);
    const content = { format: 1, ...run, goesOn: this.#goesOn, progressBytes: progress?.size ?? 0 };
    await this.writeBeside(RUN_FILE, `${visibleText(JSON.stringify(content))}\n`);
    this.#ownsRunFile = true;
  }

  /** Leaves run.json when the result is written: the run may go on. */
  keepRunFile(): void {
    this.#ownsRunFile = false;
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

  /** Removes checkpoints of more rounds than these. @throws ResultWriteError */
  async removeCheckpoints(rounds: number): Promise<void> {
    for (const gone of this.#saved.filter((saved) => saved.rounds > rounds)) {
      this.#saved.splice(this.#saved.indexOf(gone), 1);
      try {
        await rm(gone.path, { recursive: true, force: true });
      } catch (error) {
        throw writeFailure(error, gone.path);
      }
    }
  }

  /** Folders of those that are on disk, oldest first. */
  savedPaths(): string[] {
    return this.#saved.map(({ path }) => path);
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
    if (this.#hasEarlierResult && record.status !== 'finished') return this.#removeRunFile();
    try {
      await writeFileAtomically(
        join(this.path, 'result.json'),
        `${visibleText(JSON.stringify(record, null, 2))}\n`,
      );
    } catch (error) {
      const progress = join(this.path, 'progress.jsonl');
      if ((await stat(progress).catch(() => undefined))?.size === 0) await rm(progress, { force: true });
      this.close();
      await rmdir(this.path).catch(() => undefined);
      throw error;
    }
    if (record.status === 'finished') this.#ownsRunFile = true;
    await this.#removeRunFile();
  }

  async #removeRunFile(): Promise<void> {
    if (this.#ownsRunFile) await rm(join(this.path, RUN_FILE), { force: true });
  }
}
