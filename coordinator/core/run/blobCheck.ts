// What a worker said is in the blob store, while it is looked for.

/** A worker says that something is in the blob store. */
export interface BlobCheck {
  readonly what: 'state' | 'profile';
  readonly workerId: string;
  /** As in SavedState; of a profile without meaning. */
  readonly rounds: number;
  readonly sha256: string;
  readonly sizeBytes: number;
}
