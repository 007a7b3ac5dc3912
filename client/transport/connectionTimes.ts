// What WebRTC itself knows of a connection: the round trip of its own checks, which the peer's network answers however busy the
// peer computes, and by what kind of addresses the two found each other.

export interface ConnectionTime {
  /** In milliseconds. */
  readonly roundTripMs: number;
  /** host: in one network; reflexive: through address translation; relay: through a TURN server. */
  readonly route: 'host' | 'reflexive' | 'relay';
}

/** The few values that are read of a statistics report (W3C webrtc-stats); browsers leave some out. */
interface Stat {
  readonly type: string;
  readonly selectedCandidatePairId?: string;
  readonly selected?: boolean;
  readonly nominated?: boolean;
  readonly state?: string;
  /** In seconds. */
  readonly currentRoundTripTime?: number;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
}

/** @returns undefined where the connection does not tell yet. */
export function connectionTime(report: ReadonlyMap<string, unknown>): ConnectionTime | undefined {
  const stats = [...report.values()] as Stat[];
  const transport = stats.find(({ type }) => type === 'transport');
  const pairs = stats.filter(({ type }) => type === 'candidate-pair');
  const pair =
    (report.get(transport?.selectedCandidatePairId ?? '') as Stat | undefined) ??
    // Firefox has no statistics of transports.
    pairs.find(({ selected }) => selected === true) ??
    pairs.find(({ nominated, state }) => nominated === true && state === 'succeeded');
  if (pair?.currentRoundTripTime === undefined) return undefined;
  const kinds = [pair.localCandidateId, pair.remoteCandidateId].map(
    (id) => (report.get(id ?? '') as Stat | undefined)?.candidateType,
  );
  const route = kinds.includes('relay')
    ? 'relay'
    : kinds.every((kind) => kind === 'host')
      ? 'host'
      : 'reflexive';
  return { roundTripMs: 1000 * pair.currentRoundTripTime, route };
}
