// What the page of a run asks of the coordinator: as much of the dashboard's API as it needs.

import type { StreamedEvent } from '../../../shared/api/runAnswers.ts';

/** An event as it is followed; passing ones have no number. */
export interface FollowedEvent {
  readonly sequence: number | undefined;
  readonly event: StreamedEvent;
}

/** Every call rejects with an Error in words for people; `status` is that of the answer, where there was one. */
export interface RunApi {
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  post(path: string, body: object): Promise<void>;
  /** The body of an answer, whatever it is. */
  download(path: string, signal?: AbortSignal): Promise<Blob>;
  /** Calls back for each event of a run after the one numbered `after`, as long as the stream goes. */
  follow(
    runId: string,
    after: number,
    onEvent: (followed: FollowedEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Starts what a button asks for; what it fails with is shown. */
export type RunAct = (work: Promise<void>) => void;

/** The place of a run in the API. */
export function runPath(runId: string, rest = ''): string {
  return `/api/v1/runs/${encodeURIComponent(runId)}${rest}`;
}
