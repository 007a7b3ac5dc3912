// Just enough of the tar format (POSIX ustar) to read the archives inside the Chromium package.

/** A regular file of an archive. */
export interface TarEntry {
  readonly path: string;
  readonly executable: boolean;
  readonly content: Uint8Array;
}

const BLOCK_BYTES = 512;

/** Regular files of an uncompressed tar archive, in order. Throws RangeError when an entry reaches beyond the end. */
export function* tarEntries(archive: Uint8Array): Generator<TarEntry> {
  const text = (start: number, length: number): string => {
    const field = archive.subarray(start, start + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
  };
  for (let at = 0; at + BLOCK_BYTES <= archive.length && archive[at] !== 0;) {
    const name = text(at, 100);
    const mode = Number.parseInt(text(at + 100, 8), 8);
    const sizeBytes = Number.parseInt(text(at + 124, 12), 8);
    const kind = text(at + 156, 1);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const start = at + BLOCK_BYTES;
    if (!(sizeBytes >= 0) || start + sizeBytes > archive.length) {
      throw new RangeError(
        `Tar entry ${name} claims ${sizeBytes} bytes, beyond the end of the archive (${archive.length}).`,
      );
    }
    if (kind === '0' || kind === '') {
      yield {
        path: prefix === '' ? name : `${prefix}/${name}`,
        executable: (mode & 0o111) !== 0,
        content: archive.subarray(start, start + sizeBytes),
      };
    }
    at = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
}
