// The event stream of a run (server-sent events), checked value by value.

import { DeadlineError } from '../../shared/errors.ts';
import { parseEvent, type ReportedEvent } from '../remote/apiAnswers.ts';
import { askCoordinator, type CoordinatorAddress } from '../remote/askCoordinator.ts';
import { readEvents } from '../remote/serverSentEvents.ts';

/** The coordinator says something at least every 15 s, if only that it is there. */
const SILENCE_MS = 60_000;

/**
 * Events from the first that is kept on; ends with the run.
 * @throws DeadlineError when the coordinator falls silent; what askCoordinator throws.
 */
export async function* followEvents(
  runId: string,
  address: CoordinatorAddress,
): AsyncGenerator<ReportedEvent> {
  const silence = new AbortController();
  const signal = AbortSignal.any([address.signal, silence.signal]);
  const { body } = await askCoordinator(
    { ...address, signal },
    `api/v1/runs/${encodeURIComponent(runId)}/events`,
  );
  if (body === null) return;
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  try {
    listen();
    for await (const { data } of readEvents(eachTold(body, listen))) {
      const event = parseEvent(data);
      if (event !== undefined) yield event;
    }
  } catch (cause) {
    if (address.signal.aborted) return;
    if (!silence.signal.aborted) throw cause;
    throw new DeadlineError(
      `The coordinator at ${address.url} said nothing for ${SILENCE_MS} ms while its events were followed.`,
      {},
      { cause },
    );
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
