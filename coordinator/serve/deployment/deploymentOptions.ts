// Checks the options of a deployment.

import {
  deploymentOptions,
  type DeploymentOptions,
  type DeploymentSettings,
} from '../../core/store/deploymentSettings.ts';
import { checkOptions } from '../../options/checkOptions.ts';
import { serveError } from '../request/serveErrors.ts';

/** @throws ServeArgumentError naming the option that is unknown or out of range. */
export function readDeploymentOptions(options: DeploymentOptions): DeploymentSettings {
  return checkOptions(deploymentOptions, options, serveError);
}
