// What the coordinator has to say about its own doings, as values: whoever starts it decides how they are written.

interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly workerId?: string;
  readonly runId?: string;
}

export type Log = (entry: LogEntry) => void;
