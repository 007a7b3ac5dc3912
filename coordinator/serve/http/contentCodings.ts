// Bodies that a client sends compressed (RFC 9110, section 8.4). A small body may unpack to any size and a coding keeps
// megabytes while it unpacks, so they are unpacked one after another, each to the size that bodies may have.

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { BadRequestError, BodyTooLargeError } from '../../server/serverErrors.ts';
import { MediaTypeError } from '../serveErrors.ts';

type Unpack = (bytes: InputType, options: ZlibOptions) => Promise<Buffer>;

const codings: Readonly<Record<string, Unpack>> = {
  gzip: promisify<InputType, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<InputType, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<InputType, ZlibOptions, Buffer>(inflate),
  br: promisify<InputType, ZlibOptions, Buffer>(brotliDecompress),
};
const ACCEPT_ENCODING = 'gzip, deflate, br';

/** Gives the body as it was before it was compressed. @throws BadRequestError, BodyTooLargeError */
export type Decoder = (packed: Buffer) => Promise<Buffer>;

export class ContentCodings {
  readonly #maxBodyBytes: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** @returns undefined where the body is not compressed. @throws MediaTypeError */
  decoder(contentEncoding: string | undefined): Decoder | undefined {
    const coding = contentEncoding?.trim().toLowerCase();
    if (coding === undefined || coding === '' || coding === 'identity') return undefined;
    const unpack = Object.hasOwn(codings, coding) ? codings[coding] : undefined;
    if (unpack) return (packed) => this.#inTurn(() => this.#unpacked(coding, unpack, packed));
    throw new MediaTypeError(
      `The body has the content coding "${coding.slice(0, 100)}"; expected one of ${ACCEPT_ENCODING}, or none.`,
      ACCEPT_ENCODING,
    );
  }

  async #unpacked(coding: string, unpack: Unpack, packed: Buffer): Promise<Buffer> {
    try {
      return await unpack(packed, { maxOutputLength: this.#maxBodyBytes });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') {
        throw new BodyTooLargeError(
          `The body may have ${this.#maxBodyBytes} bytes, and its ${packed.byteLength} bytes of ${coding} unpack to more.`,
        );
      }
      throw new BadRequestError(`The body is not ${coding}, as its Content-Encoding says: ${message}.`);
    }
  }

  #inTurn(work: () => Promise<Buffer>): Promise<Buffer> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
