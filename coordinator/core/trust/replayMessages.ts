// What the coordinator and its thread that does rounds once more say to each other.

import type { ReplayedRound } from '../../../shared/gbdt/check/runReplay.ts';
import type { EncodedTask } from './treeAuditor.ts';

export type ReplayRequest =
  | { readonly op: 'add'; readonly shard: string; readonly bytes: Uint8Array }
  | { readonly op: 'follow'; readonly rounds: readonly (readonly unknown[])[] }
  | { readonly op: 'restore' }
  | { readonly op: 'check'; readonly task: EncodedTask };

export interface ReplayAsk {
  readonly id: number;
  readonly request: ReplayRequest;
}

export type ReplayAnswer =
  | { readonly id: number; readonly rounds?: readonly ReplayedRound[] }
  | { readonly id: number; readonly error: string };
