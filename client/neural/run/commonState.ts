// Which state a group goes on from. A state that is neither recorded nor stored is the word of those who hold it, so that only
// those count who can have one, and half of them at least have to say the same.

/** What a member says of its state. */
export interface HeldState {
  /** Steps, or reports, that it has behind it; -1 where the member has none. */
  readonly step: number;
  /** SHA-256. */
  readonly hash: string;
}

export interface CommonState extends HeldState {
  /** Ranks that pass it on to the others. */
  readonly givers: readonly number[];
}

/**
 * Of the states that are not behind the record, the one that most members have: of several with as many the latest, and then
 * the first rank's. Where all are behind the record, the same among those.
 * @param told by rank.
 * @param stateHolders ranks of those who can have a state, by the coordinator's word; others are not believed.
 * @returns undefined where none is held by half of them: then the stored state counts.
 */
export function commonState(
  told: readonly HeldState[],
  stateHolders: readonly number[],
  committedRounds: number,
): CommonState | undefined {
  const ranks = told.flatMap(({ step }, rank) => (step >= 0 && stateHolders.includes(rank) ? [rank] : []));
  const upToDate = ranks.filter((rank) => told[rank]!.step >= committedRounds);
  const electorate = upToDate.length > 0 ? upToDate : ranks;
  const states = electorate.map((rank): CommonState => {
    const { step, hash } = told[rank]!;
    const givers = electorate.filter((one) => told[one]!.step === step && told[one]!.hash === hash);
    return { step, hash, givers };
  });
  const [best] = states.sort((a, b) => b.givers.length - a.givers.length || b.step - a.step);
  return best && 2 * best.givers.length >= electorate.length ? best : undefined;
}
