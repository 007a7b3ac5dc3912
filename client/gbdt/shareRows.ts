// The members of a group tell one another what they lease, and each loads all of it, where that is little: then every one
// of them grows whole trees by itself.

import { z } from 'zod';
import { othersOf, PeerMessageError, readFromPeer } from '../../shared/collective/peerMessage.ts';
import type { Collective } from '../../shared/collective/collective.ts';
import { TreeFormatError } from '../../shared/gbdt/errors/gbdtErrors.ts';
import { areShared } from '../../shared/gbdt/sharedRows.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { lease } from '../../shared/protocol/control.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import type { RunData } from './runData.ts';

/** No dataset of so few rows is cut into more. */
const MAX_LEASES = 4096;
const MAX_LEASES_BYTES = 1024 * 1024;
const leaseList = z.array(lease).max(MAX_LEASES);

/**
 * @returns whether this member holds all rows now; the same at all members.
 * @throws PeerMessageError when the leases of all do not make the training set, or those of one can not be loaded; what the
 *   collective throws.
 */
export async function shareRows(
  data: RunData,
  collective: Collective,
  signal: AbortSignal,
): Promise<boolean> {
  const { trainRows, features, sharesRows } = data.spec;
  if (collective.size === 1 || sharesRows !== true) return false;
  const gathered = await collective.allGather(new TextEncoder().encode(JSON.stringify(data.leases)), {
    signal,
  });
  const byRank = gathered.map((bytes, rank) => readFromPeer(collective, rank, () => readLeases(bytes)));
  const leases = byRank.flat();
  checkLeases(leases, trainRows, collective);
  const rows = leases.reduce((sum, one) => sum + one.rows, 0);
  if (!areShared(rows, features.length)) return false;
  for (const [rank, told] of byRank.entries()) {
    try {
      await data.holdShared(told, signal);
    } catch (error) {
      // What a member says that it holds may be stored nowhere, or be no shard of this run: that is its fault alone.
      if (signal.aborted || rank === collective.rank) throw error;
      const peer = collective.members[rank]!;
      throw new PeerMessageError(
        `What worker ${peer} says that it holds can not be loaded: ${messageOf(error)}`,
        [peer],
        { cause: error },
      );
    }
  }
  return true;
}

function readLeases(bytes: Uint8Array): Lease[] {
  if (bytes.length > MAX_LEASES_BYTES) throw new TreeFormatError(`leases of ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new TreeFormatError('leases that are not JSON');
  }
  const parsed = leaseList.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TreeFormatError(`leases of another form: ${parsed.error.issues[0]?.message ?? 'unknown'}`);
}

/** Every shard once, and those of the training set one after the other. */
function checkLeases(leases: readonly Lease[], trainRows: number, collective: Collective): void {
  const wrong = (what: string): PeerMessageError =>
    new PeerMessageError(`The leases of all members ${what}.`, othersOf(collective));
  const seen = new Set(leases.map(({ dataset, index }) => JSON.stringify([dataset, index])));
  if (seen.size !== leases.length) throw wrong('name a shard twice');
  let next = 0;
  const ofTraining = leases.filter(({ dataset }) => dataset === 'train');
  for (const { firstRow, rows } of ofTraining.sort((a, b) => a.firstRow - b.firstRow)) {
    if (firstRow !== next) throw wrong(`have row ${firstRow} of the training set after row ${next - 1}`);
    next += rows;
  }
  if (next !== trainRows) throw wrong(`have ${next} rows of the training set, which has ${trainRows}`);
}
