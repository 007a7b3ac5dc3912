// `tabgrad init`: a small project to begin with.

import { mkdir, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeError } from '../../data/store/writeError.ts';
import { BadArgumentError } from '../cliErrors.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exitCodes.ts';
import { starterProject } from '../starterProject.ts';
import { packageVersion } from '../../files/builtFile.ts';

export const init = defineCommand({
  name: 'init',
  summary: 'Write a small project to begin with: data, a script, a config.',
  positionals: [{ name: 'FOLDER', help: 'Where; the current folder without it.', optional: true }],
  options: {},
  examples: [
    { command: 'tabgrad init points', meaning: 'Write the project into the folder points.' },
    {
      command: 'npx tabgrad init points && cd points && npm install && node train.mjs',
      meaning: 'From nothing to a trained model.',
    },
  ],
  async run({ json, quiet }, [folder = '.'], { stdout, cwd }) {
    const path = resolve(cwd, folder);
    const name = basename(path)
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '');
    const files = starterProject(name === '' ? 'points' : name, packageVersion());
    try {
      await mkdir(path, { recursive: true });
      const there = new Set(await readdir(path));
      const taken = Object.keys(files).filter((file) => there.has(file));
      if (taken.length > 0) {
        throw new BadArgumentError(
          `${path} has ${taken.join(', ')} already; nothing was written. Name another folder.`,
          { file: join(path, taken[0]!) },
        );
      }
      for (const [file, text] of Object.entries(files)) await writeNew(join(path, file), text);
    } catch (error) {
      throw error instanceof BadArgumentError ? error : writeError(error, path);
    }
    if (json) stdout.write(`${JSON.stringify({ type: 'project', path, files: Object.keys(files) })}\n`);
    else if (!quiet) {
      const enter = folder === '.' ? '' : `cd ${folder}\n`;
      stdout.write(
        `wrote ${Object.keys(files).join(', ')} to ${path}\n\n${enter}npm install\nnode train.mjs\n`,
      );
    }
    return exitCodes.ok;
  },
});

/** Never writes over a file that came up meanwhile. */
async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
