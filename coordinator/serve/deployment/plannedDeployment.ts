// A deployment with how its replicas are made, before any is started.

import type { LayersFacts } from '../../../shared/serve/layersNet.ts';
import { describeLayers } from '../replica/describeLayers.ts';
import type { ModelDescription } from '../replica/modelDescription.ts';
import type { CheckCounts } from '../replica/checkCounts.ts';
import type { Replica } from '../replica/replica.ts';
import type { DeploymentSettings } from '../../core/store/deploymentSettings.ts';
import type { HandleCaller } from '../replica/handle.ts';

export interface PlannedDeployment {
  readonly name: string;
  readonly settings: DeploymentSettings;
  /** Undefined for an owner's class, and before the first replica of a tf.LayersModel is ready. */
  readonly model: ModelDescription | undefined;
  /** Undefined where nobody's answers are checked. */
  readonly checks?: Readonly<CheckCounts>;
  makeReplica(id: string, caller: HandleCaller): Replica;
}

/** A deployment of a model that this process has not opened: its first replica tells what it takes and gives. */
export function planLearning(
  name: string,
  settings: DeploymentSettings,
  make: (id: string, caller: HandleCaller, onFacts: (facts: LayersFacts) => void) => Replica,
  checks?: Readonly<CheckCounts>,
): PlannedDeployment {
  let model: ModelDescription | undefined;
  return {
    name,
    settings,
    ...(checks && { checks }),
    get model() {
      return model;
    },
    makeReplica: (id, caller) => make(id, caller, (facts) => (model ??= describeLayers(facts))),
  };
}
