// What the coordinator has to say about its own doings, as values: its owner decides how they are written. No entry
// has a token, key or other secret in it.

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly workerId?: string;
  readonly runId?: string;
  /** Of entries that others can provoke: those of one kind and source are told by their number when they are many. */
  readonly kind?: LogKind;
  /** Whose doing it is: an address or a worker's id. */
  readonly source?: string;
}

export type LogKind = 'refused' | 'malformed' | 'silent' | 'joined' | 'left' | 'failed' | 'lied' | 'program';

export type Log = (entry: LogEntry) => void;
