// Where the bytes of a data file come from: a local file, a web server or an object store. Formats read through this.

/** A file that is open for reading. Every read checks that it is still the file that was opened. */
export interface ByteFile {
  /** Path or URL, as errors show it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Differs between two openings of the same name when the content changed: size and time, or ETag. */
  readonly version: string;
  /**
   * Bytes [start, end), exactly.
   * @throws FileChangedError, CorruptFileError when the file is shorter, or what the store throws.
   */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** The whole content from the beginning, in pieces of at most a few hundred kilobytes. */
  stream(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** A file that a path, folder, prefix or URL stands for. */
export interface FileLocation {
  readonly name: string;
  /** Values that the names of its folders give (year=2024), by column. */
  readonly partitions?: ReadonlyMap<string, string>;
  open(signal?: AbortSignal): Promise<ByteFile>;
}
