// The standard input of a worker process: its first line may be the token, and its end means that the launcher is gone.

const MAX_LINE_BYTES = 4096;
const NEWLINE = 10;

export interface LauncherInput {
  /** The first line; undefined when the input ends before it, or goes on without an end of line. */
  readonly firstLine: Promise<string | undefined>;
  /** Resolves when the input has ended or broken. Never rejects. */
  readonly closed: Promise<void>;
}

/** Reads to the end; what comes after the first line is dropped. */
export function launcherInput(stream: ReadableStream<Uint8Array>): LauncherInput {
  let tell: (line: string | undefined) => void = () => undefined;
  const firstLine = new Promise<string | undefined>((resolve) => (tell = resolve));
  let begun = new Uint8Array();
  let isKnown = false;
  const drain = async (): Promise<void> => {
    for await (const chunk of stream) {
      if (isKnown) continue;
      const text = new Uint8Array(begun.length + chunk.length);
      text.set(begun);
      text.set(chunk, begun.length);
      begun = text;
      const end = begun.indexOf(NEWLINE);
      isKnown = end >= 0 || begun.length > MAX_LINE_BYTES;
      if (isKnown) tell(end < 0 ? undefined : new TextDecoder().decode(begun.subarray(0, end)).trimEnd());
    }
  };
  const closed = drain()
    .catch(() => undefined)
    .then(() => tell(undefined));
  return { firstLine, closed };
}
