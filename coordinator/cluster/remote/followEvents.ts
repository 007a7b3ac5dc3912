// The events of a run, from the first that the coordinator keeps to its end, whatever happens to the connection meanwhile.

import { TabgradError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { parseEvent, type ReportedEvent } from '../../../shared/api/runAnswers.ts';
import { askCoordinator, type CoordinatorAddress } from './askCoordinator.ts';
import { Outage, type Patience } from './outage.ts';
import { CoordinatorUnreachableError } from './remoteErrors.ts';
import { readEvents } from './serverSentEvents.ts';

/** The coordinator says something at least every 15 s, if only that it is there. */
const SILENCE_MS = 60_000;

/**
 * The last event has the type "end". A connection that is lost, or silent, is made again after the last event that came.
 * @throws CoordinatorUnreachableError when the coordinator is out of reach for longer than `patience` says; AbortedError;
 *   what askCoordinator throws.
 */
export async function* followEvents(
  runId: string,
  address: CoordinatorAddress,
  patience: Patience,
): AsyncGenerator<ReportedEvent> {
  const outage = new Outage(address.url, patience, address.signal);
  let last = '0';
  for (;;) {
    try {
      for await (const { id, data } of receive(runId, address, { after: last }, () => outage.answered())) {
        outage.over();
        // Passing events have no id.
        if (id !== '') last = id;
        const event = parseEvent(data);
        if (event === undefined) continue;
        yield event;
        if (event.type === 'end') return;
      }
      throw new CoordinatorUnreachableError('its events ended before the run did', true);
    } catch (error) {
      await outage.wait(asLoss(error), `run ${runId} may go on there`);
    }
  }
}

/**
 * The events that the coordinator has of a run by now; the last has the type "end" where the run has ended.
 * @throws CoordinatorUnreachableError when the connection is lost; what askCoordinator throws.
 */
export async function* keptEvents(runId: string, address: CoordinatorAddress): AsyncGenerator<ReportedEvent> {
  try {
    for await (const { data } of receive(runId, address, { query: '?follow=false' })) {
      const event = parseEvent(data);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    throw asLoss(error);
  }
}

async function* receive(
  runId: string,
  address: CoordinatorAddress,
  { after = '0', query = '' }: { readonly after?: string; readonly query?: string },
  answered: () => void = () => undefined,
): ReturnType<typeof readEvents> {
  const silence = new AbortController();
  const signal = AbortSignal.any([address.signal, silence.signal]);
  const headers = { 'last-event-id': after };
  const path = `api/v1/runs/${encodeURIComponent(runId)}/events${query}`;
  const { body } = await askCoordinator({ ...address, signal }, path, { headers });
  answered();
  if (body === null) return;
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error(`it said nothing for ${SILENCE_MS} ms`)), SILENCE_MS);
  };
  try {
    listen();
    yield* readEvents(eachTold(body, listen));
  } finally {
    clearTimeout(timer);
  }
}

async function* eachTold(stream: AsyncIterable<Uint8Array>, tell: () => void): AsyncGenerator<Uint8Array> {
  for await (const bytes of stream) {
    tell();
    yield bytes;
  }
}

/** A stream that breaks off fails with an error of fetch's own. */
function asLoss(error: unknown): TabgradError {
  if (error instanceof TabgradError) return error;
  return new CoordinatorUnreachableError(`its events broke off: ${messageOf(error)}`, true, { cause: error });
}
