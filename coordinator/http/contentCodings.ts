// Bodies that a client sends compressed (RFC 9110, section 8.4). A coding keeps megabytes while it unpacks, so one body is
// unpacked at a time, callers take turns, and a body unpacks to no more than its own size allows.

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { FairQueue } from '../bounds/fairQueue.ts';
import { BadRequestError, BodyTooLargeError, MediaTypeError } from './httpErrors.ts';

type Unpack = (bytes: InputType, options: ZlibOptions) => Promise<Buffer>;

const codings: Readonly<Record<string, Unpack>> = {
  gzip: promisify<InputType, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<InputType, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<InputType, ZlibOptions, Buffer>(inflate),
  br: promisify<InputType, ZlibOptions, Buffer>(brotliDecompress),
};
const ACCEPT_ENCODING = 'gzip, deflate, br';
/** What any body may unpack to. */
const SMALL_BODY_BYTES = 1024 * 1024;
/** Deflate makes at most 1032 bytes of one (zlib's technical details); Brotli makes a hundred thousand of nothing. */
const MAX_EXPANSION = 1_100;

/** Gives the body as it was before it was compressed. @throws BadRequestError, BodyTooLargeError */
export type Decoder = (packed: Buffer) => Promise<Buffer>;

/** Whose body it is, and when it is not wanted any more. */
export interface BodySender {
  readonly party: string;
  readonly signal: AbortSignal;
}

export class ContentCodings {
  readonly #maxBodyBytes: number;
  readonly #queue = new FairQueue();

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** @returns undefined where the body is not compressed. @throws MediaTypeError */
  decoder(contentEncoding: string | undefined, { party, signal }: BodySender): Decoder | undefined {
    const coding = contentEncoding?.trim().toLowerCase();
    if (coding === undefined || coding === '' || coding === 'identity') return undefined;
    const unpack = Object.hasOwn(codings, coding) ? codings[coding] : undefined;
    if (unpack) {
      return (packed) => this.#queue.run(party, signal, () => this.#unpacked(coding, unpack, packed));
    }
    throw new MediaTypeError(
      `The body has the content coding "${coding.slice(0, 100)}"; expected one of ${ACCEPT_ENCODING}, or none.`,
      ACCEPT_ENCODING,
    );
  }

  async #unpacked(coding: string, unpack: Unpack, packed: Buffer): Promise<Buffer> {
    const proportion = Math.max(SMALL_BODY_BYTES, MAX_EXPANSION * packed.byteLength);
    const maxOutputLength = Math.min(this.#maxBodyBytes, proportion);
    try {
      return await unpack(packed, { maxOutputLength });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') {
        throw new BodyTooLargeError(
          `The body may have ${maxOutputLength} bytes, and its ${packed.byteLength} bytes of ${coding} unpack to more.`,
        );
      }
      throw new BadRequestError(`The body is not ${coding}, as its Content-Encoding says: ${message}.`);
    }
  }
}
