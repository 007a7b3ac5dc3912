// The auditor of a run, where its kind has one.

import type { BlobStore } from '../blobs/blobStore.ts';
import { readTrainSpec } from '../../../shared/gbdt/readTrainSpec.ts';
import type { RunSpec } from '../../../shared/run/runSpec.ts';
import type { RoundAuditor } from './roundAudit.ts';
import { ThreadReplayer } from './threadReplayer.ts';
import { TreeAuditor } from './treeAuditor.ts';

/** @throws CheckFailedError where the thread can not be started. */
export function openAuditor(blobs: Pick<BlobStore, 'read'>, spec: RunSpec): RoundAuditor {
  const trees = readTrainSpec(spec);
  return new TreeAuditor({
    spec: trees,
    replayer: new ThreadReplayer(trees),
    readShard: (sha256) => blobs.read(sha256),
  });
}
