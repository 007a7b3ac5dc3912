// What shows that a worker lied, and how it is said in a line: to the owner, in the list of bans, and to who was banned.

export interface LieEvidence {
  /** One line for people. */
  readonly what: string;
  readonly runId?: string;
  readonly round?: number;
  readonly level?: number;
  /** Names of the shards whose work was told wrongly. */
  readonly shards?: readonly string[];
  /** What the worker said, in short: a hash or a number. */
  readonly claimed?: string;
  /** What it is. */
  readonly found?: string;
}

/** As long as the reason that an owner may give. */
const MAX_REASON_CHARACTERS = 300;
const MAX_SHARDS_NAMED = 4;

/** The evidence in one line of 300 characters at most; what comes last is what goes first where that is too few. */
export function lieReason({ what, runId, round, level, shards = [], claimed, found }: LieEvidence): string {
  const more = shards.length - MAX_SHARDS_NAMED;
  const named = shards.slice(0, MAX_SHARDS_NAMED).join(' and ');
  const places = [
    runId !== undefined && `run ${runId}`,
    round !== undefined && `round ${round}`,
    level !== undefined && `level ${level}`,
    shards.length > 0 &&
      `${shards.length === 1 ? 'shard' : 'shards'} ${named}${more > 0 ? ` and ${more} more` : ''}`,
    claimed !== undefined && `claimed ${claimed}`,
    found !== undefined && `found ${found}`,
  ].filter((place) => place !== false);
  const line = places.length === 0 ? what : `${what} (${places.join(', ')})`;
  return line.length <= MAX_REASON_CHARACTERS ? line : `${line.slice(0, MAX_REASON_CHARACTERS - 1)}…`;
}
