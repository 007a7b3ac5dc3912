// The built files of the pages, as they are sent: compressed once for browsers that take that.

import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gzip, type InputType, type ZlibOptions } from 'node:zlib';

const compress = promisify<InputType, ZlibOptions, Buffer>(gzip);
/** Of a smaller file as much is gained by nothing. */
const MIN_COMPRESSED_BYTES = 1024;
const compressible: ReadonlySet<string> = new Set([
  '.html',
  '.js',
  '.mjs',
  '.css',
  '.json',
  '.map',
  '.svg',
  '.wasm',
]);

interface PageFile {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

interface Packed {
  /** Of the file that was compressed. */
  readonly changedMs: number;
  readonly bytes: Promise<Buffer>;
}

export class PageFiles {
  readonly #packed = new Map<string, Packed>();

  /**
   * @param file path of one of the built files: what is compressed of them is kept.
   * @throws what reading the file throws.
   */
  async read(file: string, acceptEncoding: string | undefined): Promise<PageFile> {
    if (!compressible.has(extname(file))) return { bytes: await readFile(file), headers: {} };
    const { mtimeMs, size } = await stat(file);
    const headers = { vary: 'Accept-Encoding' };
    if (size < MIN_COMPRESSED_BYTES || !takesGzip(acceptEncoding))
      return { bytes: await readFile(file), headers };
    const bytes = await this.#pack(file, mtimeMs);
    return { bytes, headers: { ...headers, 'content-encoding': 'gzip' } };
  }

  #pack(file: string, changedMs: number): Promise<Buffer> {
    const known = this.#packed.get(file);
    if (known?.changedMs === changedMs) return known.bytes;
    const bytes = readFile(file).then((whole) => compress(whole, { level: 9 }));
    this.#packed.set(file, { changedMs, bytes });
    bytes.catch(() => this.#packed.delete(file));
    return bytes;
  }
}

/** RFC 9110, section 12.5.3: named, or by "*", and not with a weight of 0. */
function takesGzip(acceptEncoding = ''): boolean {
  const offers = acceptEncoding.split(',').map((offer) => {
    const [coding = '', ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
    return { coding, isRefused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) };
  });
  const offer = offers.find(({ coding }) => coding === 'gzip') ?? offers.find(({ coding }) => coding === '*');
  return offer !== undefined && !offer.isRefused;
}
