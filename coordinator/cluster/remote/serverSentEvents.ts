// Reads a stream of server-sent events (WHATWG HTML, section 9.2): as much of the format as the coordinator writes.

export interface ServerSentEvent {
  readonly id: string;
  readonly data: string;
}

/** A longer event is not one of ours. */
const MAX_EVENT_CHARACTERS = 16 * 1024 * 1024;

/** Yields until the stream ends; an event that is cut off at the end is dropped. */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARACTERS) throw new RangeError('a server-sent event does not end');
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event) yield event;
    }
  }
}

/** Undefined for comments, which keep the connection alive. */
function parseEvent(block: string): ServerSentEvent | undefined {
  let id = '';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, field, value] = /^(id|data): ?(.*)$/.exec(line) ?? [];
    if (field === 'id') id = value ?? '';
    else if (field === 'data') data.push(value ?? '');
  }
  return data.length === 0 ? undefined : { id, data: data.join('\n') };
}
