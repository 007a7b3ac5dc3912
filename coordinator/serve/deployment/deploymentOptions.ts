// Checks the options of a deployment.

import { nearestWord } from '../../../shared/text/nearestWord.ts';
import {
  autoscalingConfig,
  deploymentOptions,
  type DeploymentOptions,
  type DeploymentSettings,
} from '../../core/store/deploymentSettings.ts';
import { ServeArgumentError } from '../request/serveErrors.ts';

const known = [
  ...Object.keys(deploymentOptions.shape),
  ...Object.keys(autoscalingConfig.shape).map((key) => `autoscalingConfig.${key}`),
];

/** @throws ServeArgumentError naming the option that is unknown or out of range. */
export function readDeploymentOptions(options: DeploymentOptions): DeploymentSettings {
  const parsed = deploymentOptions.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const parent = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const field = [...issue.path, issue.keys[0]].join('.');
    const near = nearestWord(field, known);
    throw new ServeArgumentError(
      `A deployment has no option "${field}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
      { field },
    );
  }
  throw new ServeArgumentError(`Option ${parent} of a deployment: ${issue.message}.`, { field: parent });
}
