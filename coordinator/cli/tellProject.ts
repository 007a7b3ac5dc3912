// What a config says of the project, told to the coordinator that volunteers join.

import { ConfigInvalidError } from '../config/expression/configErrors.ts';
import type { LoadedConfig } from '../config/loadConfig.ts';
import { askCoordinator } from '../cluster/remote/askCoordinator.ts';
import { ownerAccess } from '../cluster/remote/ownerAccess.ts';
import { environmentAuthorities } from '../cluster/remote/serverTrust.ts';
import type { CliContext } from './command.ts';
import { readProjectFile } from './projectFile.ts';

/** Where it is told; no address where the run makes a coordinator of its own. */
interface Owner {
  readonly url: string | undefined;
  readonly token: string | undefined;
}

/**
 * Does nothing for a config without a project.
 * @throws ConfigInvalidError without an address; what reading the file and asking the coordinator throw.
 */
export async function tellProject(
  { file, project }: Pick<LoadedConfig, 'file' | 'project'>,
  { url, token }: Owner,
  { cwd, env, signal }: Pick<CliContext, 'cwd' | 'env' | 'signal'>,
): Promise<void> {
  if (project === undefined) return;
  if (url === undefined) {
    throw new ConfigInvalidError(
      `${file}: project is for volunteers, and all workers are of this machine; expected scalingConfig.url or --url`,
      { file, field: 'project' },
    );
  }
  const json = await readProjectFile(project, cwd);
  const access = await ownerAccess(url, token, env);
  const ca = await environmentAuthorities(access.url, signal);
  await askCoordinator({ ...access, ca, signal }, 'api/v1/project', { method: 'PUT', json });
}
