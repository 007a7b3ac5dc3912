// The files of one source. Remembers what each looked like when it was first opened, so that a later pass over the
// same dataset notices a file that changed in between.

import { FileChangedError } from '../plan/dataErrors.ts';
import type { ByteFile, FileLocation } from '../store/byteFile.ts';

export class OpenedFiles {
  readonly #versions = new Map<string, string>();

  /** Opens the file for `use` and closes it afterwards. @throws FileChangedError */
  async with<T>(
    location: FileLocation,
    signal: AbortSignal | undefined,
    use: (file: ByteFile) => Promise<T>,
  ): Promise<T> {
    const file = await this.open(location, signal);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  }

  async open(location: FileLocation, signal: AbortSignal | undefined): Promise<ByteFile> {
    const file = await location.open(signal);
    const before = this.#versions.get(location.name);
    if (before !== undefined && before !== file.version) {
      await file.close();
      throw new FileChangedError(
        `${file.name} changed since this dataset first opened it; make a new dataset to read the new content.`,
        { file: file.name },
      );
    }
    this.#versions.set(location.name, file.version);
    return file;
  }
}
