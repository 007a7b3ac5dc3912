// The file of `tabgrad up --project`: what volunteers are told of the project, with a picture beside it.

import { open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readConfigFile } from '../config/readConfigFile.ts';
import {
  checkProject,
  MAX_PICTURE_BYTES,
  pictureUrl,
  ProjectInvalidError,
  type Project,
} from '../core/project/project.ts';

/**
 * @param file JSON, YAML or a module, as configs are; its `picture` is a path from the file's folder.
 * @throws ProjectInvalidError naming file and field; ConfigUnreadableError, ConfigSyntaxError
 */
export async function readProjectFile(file: string, cwd: string): Promise<Project> {
  const given = await readConfigFile(file, cwd);
  const picture =
    typeof given === 'object' && given !== null && 'picture' in given ? given.picture : undefined;
  try {
    if (typeof picture !== 'string') return checkProject(given);
    const path = resolve(cwd, dirname(file), picture);
    return checkProject({ ...(given as object), picture: await readPicture(path) });
  } catch (error) {
    if (!(error instanceof ProjectInvalidError)) throw error;
    throw new ProjectInvalidError(`${file}: ${error.message}`, { ...error.place, file }, { cause: error });
  }
}

async function readPicture(path: string): Promise<string> {
  const refused = (why: string, cause?: unknown): ProjectInvalidError =>
    new ProjectInvalidError(`picture: ${path} ${why}.`, { field: 'picture' }, { cause });
  try {
    const facts = await stat(path);
    if (!facts.isFile()) throw refused('is no file');
    if (facts.size > MAX_PICTURE_BYTES)
      throw refused(`has ${facts.size} bytes, expected at most ${MAX_PICTURE_BYTES}`);
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(facts.size), 0, facts.size, 0);
      return pictureUrl(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ProjectInvalidError) throw error;
    throw refused(`can not be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`, error);
  }
}
