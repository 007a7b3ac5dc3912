// The HTTP request that a served class gets to see, wherever it runs: a thread of the server, or a worker of the pool.

import { TabgradError } from '../errors.ts';

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

/** An HTTP request, as the `call` of an ingress deployment gets it. */
export class ServeRequest {
  readonly method: string;
  /** Path below the application's route prefix; begins with "/". */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: RequestParts['headers'];
  readonly #body: string | Uint8Array;

  constructor(parts: RequestParts) {
    this.method = parts.method;
    this.path = parts.path;
    this.query = new URLSearchParams(parts.search);
    this.headers = parts.headers;
    this.#body = parts.body;
  }

  text(): string {
    return typeof this.#body === 'string' ? this.#body : new TextDecoder().decode(this.#body);
  }

  bytes(): Uint8Array {
    return typeof this.#body === 'string' ? new TextEncoder().encode(this.#body) : this.#body;
  }

  /** @throws BodyNotJsonError, which the caller gets as 400. */
  json(): unknown {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new BodyNotJsonError(`The body is not JSON: ${(error as Error).message.slice(0, 200)}.`);
    }
  }
}
