// How elements become payload bytes. Streams count decoded bytes, so a codec may shrink its payload as it likes.

import type { CodecName } from '../../shared/wire/frame.ts';

export interface PayloadCodec {
  readonly name: CodecName;
  encode(decoded: Uint8Array): Uint8Array;
  decode(payload: Uint8Array): Uint8Array;
}

/** One line per codec. */
export const payloadCodecs: Readonly<Record<CodecName, PayloadCodec>> = {
  raw: { name: 'raw', encode: (decoded) => decoded, decode: (payload) => payload },
};
