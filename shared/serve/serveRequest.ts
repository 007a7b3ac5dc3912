// The HTTP request that a served class gets to see, wherever it runs: a thread of the server, or a worker of the pool.

import { TabgradError } from '../../kernels/errors.ts';

/** A request as it travels to a replica: a plain value. */
export interface RequestParts {
  readonly method: string;
  /** Path below the application's route prefix; begins with "/". */
  readonly path: string;
  /** As in the address, with its "?"; empty when there is none. */
  readonly search: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string | Uint8Array;
}

class BodyNotJsonError extends TabgradError {
  readonly code = 'BAD_REQUEST';
}

class BodyTextError extends TabgradError {
  readonly code: 'BAD_REQUEST' | 'MEDIA_TYPE_UNSUPPORTED';

  constructor(code: BodyTextError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** In lower case; undefined where the header names none. */
export function charsetOf(contentType: RequestParts['headers'][string]): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(String(contentType ?? ''))?.[1];
  return charset?.toLowerCase();
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new BodyTextError(
      'MEDIA_TYPE_UNSUPPORTED',
      `The charset "${charset.slice(0, 100)}" of the body is not known.`,
    );
  }
}

function decoded(bytes: Uint8Array, decoder: TextDecoder, charset: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new BodyTextError('BAD_REQUEST', `The body is not text in ${charset.slice(0, 100)}.`);
  }
}

/** An HTTP request, as the `call` of an ingress deployment gets it. */
export class ServeRequest {
  /** In capitals, e.g. "POST". */
  readonly method: string;
  /** Path below the application's route prefix; begins with "/". */
  readonly path: string;
  /** Parameters of the address. */
  readonly query: URLSearchParams;
  /** By name in lower case. */
  readonly headers: RequestParts['headers'];
  readonly #body: string | Uint8Array;

  /** Made by the server, for each request. */
  constructor(parts: RequestParts) {
    this.method = parts.method;
    this.path = parts.path;
    this.query = new URLSearchParams(parts.search);
    this.headers = parts.headers;
    this.#body = parts.body;
  }

  /**
   * The body in the charset of its Content-Type, UTF-8 where it names none, without a byte order mark.
   * @throws BodyTextError, which the caller gets as 400 or 415.
   */
  text(): string {
    if (typeof this.#body === 'string') return this.#body.replace(/^\ufeff/, '');
    const charset = charsetOf(this.headers['content-type']) ?? 'utf-8';
    return decoded(this.#body, decoderOf(charset), charset);
  }

  /** The body as it is. */
  bytes(): Uint8Array {
    return typeof this.#body === 'string' ? new TextEncoder().encode(this.#body) : this.#body;
  }

  /** @throws BodyNotJsonError, BodyTextError, which the caller gets as 400 or 415. */
  json(): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new BodyNotJsonError(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
    }
  }
}
