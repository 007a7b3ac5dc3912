// One process against as many threads of real XGBoost, round by round in turn, so that both see the same state of the
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
  readonly threads: number;
  readonly own: readonly RoundTime[];
  readonly oracle: readonly RoundTime[];
  /** XGBoost's cutting into bins, once for each matrix. */
  readonly oracleBinningMs: number;
  /** Milliseconds of a round by what they went into. */
  readonly phases: Readonly<Record<Phase | 'split search', number>>;
}

/** Rounds after the timed ones, taken apart. */
const DISSECTED_ROUNDS = 3;

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
 * @param threads of XGBoost.
 * @param fenced whether phases are waited for one by one (see timedDevice).
 */
export async function timeSoloTraining(
  { spec, blocks, oracle }: FlightsTraining,
  device: TreeDevice,
  threads: number,
  rounds: number,
  fenced = false,
): Promise<SoloTimes> {
  const loaded: LoadedBlock[] = [];
  const { wallMs: loadMs } = await clock(async () => {
    for (const block of blocks) loaded.push(await device.load(block, 'train'));
  });
  const matrix = holdMatrix(oracle);
  const params = { ...ORACLE_PARAMS, nthread: threads };
  const warmUp = matrix.startBooster(params);
  const first = await clock(() => warmUp.update(0));
  const second = await clock(() => warmUp.update(1));
  warmUp.free();
  const booster = matrix.startBooster(params);

  const own: RoundTime[] = [];
  const theirs: RoundTime[] = [];
  const train = async (on: TreeDevice, round: number): Promise<void> => {
    const trees = await boostRound({ device: on, collective: soloCollective, spec, round });
    on.applyTrees(loaded, trees);
    // A GPU has only been told so far.
    await on.readMargins(loaded[0]!);
  };
  for (let round = 0; round < rounds; round += 1) {
    own.push(await clock(() => train(device, round)));
    theirs.push(await clock(() => booster.update(round)));
  }
  booster.free();
  matrix.free();
  // Parting the phases slows a round down, so it is done in rounds of its own.
  const phases = noTimes();
  const timed = timedDevice(device, phases, fenced ? loaded[0] : undefined);
  const { wallMs: dissectedMs } = await clock(async () => {
    for (let extra = 0; extra < DISSECTED_ROUNDS; extra += 1) await train(timed, rounds + extra);
  });
  await device.close();
  const inDevice = Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  const perRound = (ms: number): number => ms / DISSECTED_ROUNDS;
  return {
    loadMs,
    threads,
    own,
    oracle: theirs,
    oracleBinningMs: first.wallMs - second.wallMs,
    phases: {
      gradients: perRound(phases.gradients),
      histogram: perRound(phases.histogram),
      partition: perRound(phases.partition),
      'split search': perRound(dissectedMs - inDevice),
      apply: perRound(phases.apply),
    },
  };
}
