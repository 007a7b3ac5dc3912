// Where a coordinator keeps what it knows, as its owner says it.

export interface StorageOptions {
  readonly storagePath?: string;
  readonly databaseUrl?: string;
  readonly blobsUrl?: string;
  /** Waits until no other coordinator has the record, instead of refusing; `onStandby` is told when it has to. */
  readonly standby?: { readonly onStandby: () => void; readonly signal?: AbortSignal | undefined };
}
