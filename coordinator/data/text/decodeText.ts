// Bytes of a text file as strings.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError } from '../errors.ts';
import type { ByteFile } from '../store/byteFile.ts';

/** UTF-8 text piece by piece; a leading byte order mark is dropped. @throws CorruptFileError for other encodings. */
export async function* decodeText(file: ByteFile, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
    } catch (error) {
      throw new CorruptFileError(
        `${file.name} is not UTF-8 text (near byte ${bytes}): ${messageOf(error)}`,
        { file: file.name },
        { cause: error },
      );
    }
  };
  for await (const piece of file.stream(signal)) {
    const text = decode(piece);
    bytes += piece.length;
    if (text !== '') yield text;
  }
  const rest = decode();
  if (rest !== '') yield rest;
}
