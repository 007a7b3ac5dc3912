// The event stream of a run (server-sent events), checked value by value.

import { DeadlineError } from '../../shared/errors.ts';
import { reportedEvent, type ReportedEvent } from './apiAnswers.ts';
import { openStream, type RequestOptions } from './coordinatorRequest.ts';

/** The coordinator says something at least every 15 s, if only that it is there. */
const SILENCE_MS = 60_000;
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

/**
 * Events from the first that is kept on; ends with the run.
 * @throws DeadlineError when the coordinator falls silent; what openStream throws.
 */
export async function* followEvents(runId: string, options: RequestOptions): AsyncGenerator<ReportedEvent> {
  const silence = new AbortController();
  const stream = await openStream(`api/v1/runs/${encodeURIComponent(runId)}/events`, {
    ...options,
    signal: AbortSignal.any([options.signal, silence.signal]),
  });
  const decoder = new TextDecoder();
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  let rest = '';
  try {
    listen();
    for await (const bytes of stream) {
      listen();
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS) return;
      for (const line of lines) {
        const event = line.startsWith('data: ') ? parseEvent(line.slice('data: '.length)) : undefined;
        if (event !== undefined) yield event;
      }
    }
  } catch (cause) {
    if (options.signal.aborted) return;
    if (!silence.signal.aborted) throw cause;
    throw new DeadlineError(
      `The coordinator at ${options.url} said nothing for ${SILENCE_MS} ms while its events were followed.`,
      {},
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Kinds of events that a newer coordinator may have are left out. */
function parseEvent(text: string): ReportedEvent | undefined {
  try {
    return reportedEvent.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
