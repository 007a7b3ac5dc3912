// Bytes of a text file as strings, decompressed where they are compressed.

import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError, DataArgumentError } from '../plan/dataErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { decompressed } from './decompressed.ts';

/**
 * Text piece by piece; a leading byte order mark is dropped, and tells UTF-16.
 * @param encoding a label of the Encoding Standard, such as "latin1" or "utf-16le".
 * @throws CorruptFileError for text of another encoding, and damaged compression.
 */
export async function* decodeText(
  file: ByteFile,
  encoding: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let used = encoding;
  let bytes = 0;
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece === undefined ? (decoder?.decode() ?? '') : decoder!.decode(piece, { stream: true });
    } catch (error) {
      throw new CorruptFileError(
        `${file.name} is not ${nameOf(used)} text (at byte ${bytes} or in the ${piece?.length ?? 0} bytes after it); name its encoding with the option encoding, such as "latin1": ${messageOf(error)}.`,
        { file: file.name },
        { cause: error },
      );
    }
  };
  for await (const piece of decompressed(file, signal)) {
    if (decoder === undefined) {
      used = encodingByMark(piece) ?? encoding;
      decoder = decoderOf(used);
    }
    const text = decode(piece);
    bytes += piece.length;
    if (text !== '') yield text;
  }
  const rest = decode();
  if (rest !== '') yield rest;
}

/** @throws DataArgumentError for an encoding that is not known. */
export function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new DataArgumentError(
      `encoding is ${JSON.stringify(encoding)}; "utf-8", "latin1", "utf-16le" or another name of the Encoding Standard is expected.`,
      { field: 'encoding' },
      { cause: error },
    );
  }
}

function nameOf(encoding: string): string {
  return encoding === 'utf-8' ? 'UTF-8' : encoding;
}

function encodingByMark([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
}
