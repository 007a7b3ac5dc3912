// Requests to an S3-compatible store that read and change objects: signed, with deadlines, tried again where that helps.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { createReadStream } from 'node:fs';
import { backoffMs, type Backoff } from '../../../../shared/backoff.ts';
import { delay, systemClock } from '../../../../shared/clock.ts';
import { messageOf } from '../../../../shared/text/messageOf.ts';
import type { S3Location } from '../../../s3/s3Location.ts';
import { atRegion, s3Redirect } from '../../../s3/s3Redirect.ts';
import { checkHops, isRedirect } from '../../../http/redirect.ts';
import { signV4 } from '../../../s3/signV4.ts';
import { StorageError } from '../blobErrors.ts';

interface S3Body {
  readonly sizeBytes: number;
  /** Signed with the request: the store refuses other bytes. */
  readonly sha256: string;
  /** The bytes, or the file that holds them. */
  readonly content: Uint8Array | { readonly file: string };
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: S3Body;
  /** Statuses besides 2xx that are answers too. */
  readonly accept?: readonly number[];
}

const ATTEMPTS = 4;
const waits: Backoff = { firstMs: 200, maxMs: 5_000 };
/** Without a byte either way. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;
/** Sockets kept open between requests. */
const MAX_SOCKETS = 32;

/** Trying again may help. */
class Passing extends Error {}

export class S3Client {
  readonly location: S3Location;
  readonly #agent: HttpAgent;
  /** Of the bucket, where Amazon said that it is another one. */
  #region: string | undefined;

  constructor(location: S3Location) {
    this.location = location;
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_TIMEOUT_MS };
    this.#agent = location.urlOf('').protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** @returns the answer, whose body is the caller's to read. @throws StorageError */
  async send(request: S3Request): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(request);
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        if (attempt === ATTEMPTS) throw this.#failure(request, error.message, error.cause);
      }
      await delay(systemClock, backoffMs(attempt - 1, waits));
    }
  }

  /** @returns the whole body as text. @throws StorageError */
  async text(request: S3Request, maxBytes: number): Promise<string> {
    return (await this.#collect(request, await this.send(request), maxBytes)).toString('utf8');
  }

  async #attempt(request: S3Request): Promise<IncomingMessage> {
    const response = await this.#follow(request);
    const { statusCode: status = 0 } = response;
    if ((status >= 200 && status < 300) || request.accept?.includes(status) === true) return response;
    const body = await this.#collect(request, response, MAX_ERROR_BYTES);
    const code = /<Code>([^<]*)<\/Code>/.exec(body.toString('utf8'))?.[1];
    const reason = `status ${status}${code === undefined ? '' : ` (${code})`}`;
    if (status === 429 || status >= 500) throw new Passing(reason);
    throw this.#failure(request, reason, undefined);
  }

  async #follow(request: S3Request): Promise<IncomingMessage> {
    const { key, query = {} } = request;
    let url = this.location.urlOf(key);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    if (this.#region !== undefined) url = atRegion(url, this.#region) ?? url;
    for (let hops = 0; ; hops++) {
      const response = await this.#exchange(url, request);
      const { statusCode: status = 0 } = response;
      if (!isRedirect(status)) return response;
      response.resume();
      try {
        checkHops(hops, url);
        const answer = { status, header: (field: string) => headerOf(response, field) };
        const { bucket, credentials } = this.location;
        const next = s3Redirect(url, answer, `s3://${bucket}/${key}`, credentials !== undefined);
        url = next.url;
        this.#region = next.region ?? this.#region;
      } catch (error) {
        throw this.#failure(request, messageOf(error).replace(/\.$/, ''), error);
      }
    }
  }

  #exchange(url: URL, { method, headers = {}, body }: S3Request): Promise<IncomingMessage> {
    const { credentials } = this.location;
    const region = this.#region ?? this.location.region;
    const all = { ...headers, ...(body && { 'content-length': String(body.sizeBytes) }) };
    const signed =
      credentials === undefined
        ? {}
        : signV4(method, url, all, credentials, region, new Date(), body?.sha256);
    return new Promise((resolve, reject) => {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const sent = open(url, {
        method,
        agent: this.#agent,
        headers: { ...all, ...signed },
        timeout: IDLE_TIMEOUT_MS,
      });
      const fail = (error: unknown): void => {
        reject(new Passing(messageOf(error), { cause: error }));
        sent.destroy();
      };
      sent.on('timeout', () => fail(new Error(`nothing came for ${IDLE_TIMEOUT_MS} ms`)));
      sent.on('error', fail);
      sent.on('response', resolve);
      if (body === undefined || body.content instanceof Uint8Array) {
        sent.end(body?.content);
        return;
      }
      const bytes = createReadStream(body.content.file);
      bytes.on('error', fail);
      sent.on('close', () => bytes.destroy());
      bytes.pipe(sent);
    });
  }

  async #collect(request: S3Request, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#failure(request, messageOf(error), error);
    }
    return Buffer.concat(chunks);
  }

  #failure({ method, key }: S3Request, reason: string, cause: unknown): StorageError {
    const { host, bucket } = this.location;
    return new StorageError(
      `${host} did not do ${method} s3://${bucket}/${key}: ${reason}.`,
      {},
      cause === undefined ? {} : { cause },
    );
  }
}

function headerOf(response: IncomingMessage, name: string): string | null {
  const value = response.headers[name];
  return typeof value === 'string' ? value : null;
}
