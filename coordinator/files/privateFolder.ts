// Folders whose content is for one account of the machine: rows of the owner lie in them.

import { chmod, mkdir, stat } from 'node:fs/promises';

/**
 * Makes the folder for its owner alone. One that is there already, as earlier versions left it, is closed to others.
 * @returns what the owner should know of one that others could open.
 * @throws the system's errors when it can not be made.
 */
export async function makePrivateFolder(folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Windows has no such modes.
  if (process.platform === 'win32') return undefined;
  const { mode } = await stat(folder);
  if ((mode & 0o077) === 0) return undefined;
  const shown = (mode & 0o777).toString(8);
  try {
    await chmod(folder, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `Other accounts can open ${folder} (mode ${shown}), and it can not be closed to them: ${code}`;
  }
  return `${folder} could be opened by other accounts (mode ${shown}); now by its owner alone`;
}
