// One process against one thread of real XGBoost, round by round in turn, so that both see the same state of the
// machine.

import { boostRound } from '../../../client/gbdt/boostRound.ts';
import type { LoadedBlock, TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { soloCollective } from '../../../shared/collective/soloCollective.ts';
import { holdMatrix } from '../../oracle/xgboost.ts';
import { ORACLE_PARAMS } from './flightsTraining.ts';
import type { FlightsTraining } from './flightsTraining.ts';
import type { Phase } from './timedDevice.ts';
import { noTimes, timedDevice } from './timedDevice.ts';

/** Of one round, in milliseconds. CPU time is the process's: robust where others use the machine too. */
export interface RoundTime {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface SoloTimes {
  readonly loadMs: number;
  /** Rounds, the first one (in which code is compiled) included. */
  readonly own: readonly RoundTime[];
  readonly oracle: readonly RoundTime[];
  /** XGBoost's cutting into bins, once for each matrix. */
  readonly oracleBinningMs: number;
  /** Milliseconds of all rounds by what they went into. */
  readonly phases: Readonly<Record<Phase | 'split search', number>>;
}

async function clock(work: () => Promise<void> | void): Promise<RoundTime> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/**
 * Trains on `device`, which is closed afterwards.
 * @param fenced whether phases are waited for one by one (see timedDevice).
 */
export async function timeSoloTraining(
  { spec, blocks, oracle }: FlightsTraining,
  device: TreeDevice,
  rounds: number,
  fenced = false,
): Promise<SoloTimes> {
  const loaded: LoadedBlock[] = [];
  const { wallMs: loadMs } = await clock(async () => {
    for (const block of blocks) loaded.push(await device.load(block, 'train'));
  });
  const phases = noTimes();
  const timed = timedDevice(device, phases, fenced ? loaded[0] : undefined);
  const matrix = holdMatrix(oracle);
  const params = { ...ORACLE_PARAMS, nthread: 1 };
  const warmUp = matrix.startBooster(params);
  const first = await clock(() => warmUp.update(0));
  const second = await clock(() => warmUp.update(1));
  warmUp.free();
  const booster = matrix.startBooster(params);

  const own: RoundTime[] = [];
  const theirs: RoundTime[] = [];
  for (let round = 0; round < rounds; round += 1) {
    own.push(
      await clock(async () => {
        const trees = await boostRound({ device: timed, collective: soloCollective, spec, round });
        timed.applyTrees(loaded, trees);
        // A GPU has only been told so far.
        await timed.readMargins(loaded[0]!);
      }),
    );
    theirs.push(await clock(() => booster.update(round)));
  }
  booster.free();
  matrix.free();
  await device.close();
  const total = own.reduce((sum, { wallMs }) => sum + wallMs, 0);
  const inDevice = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  return {
    loadMs,
    own,
    oracle: theirs,
    oracleBinningMs: first.wallMs - second.wallMs,
    phases: { ...phases, 'split search': total - inDevice },
  };
}
