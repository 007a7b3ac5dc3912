// s3://bucket/key and s3://bucket/prefix/ on Amazon's or any compatible store, signed or anonymous.

import { env } from 'node:process';
import { DataArgumentError, FileMissingError, FolderEmptyError } from '../errors.ts';
import type { FileLocation } from './byteFile.ts';
import { httpFile } from './httpFile.ts';
import { type HttpRequest, type RequestSettings, sendRequest } from './httpRequest.ts';
import { encodeRfc3986, type S3Credentials, signV4 } from './signV4.ts';

export interface S3Options {
  /** Other than Amazon's, e.g. http://localhost:9000; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL when left out. */
  readonly endpoint?: string;
  /** AWS_REGION or AWS_DEFAULT_REGION when left out, else us-east-1. */
  readonly region?: string;
  /** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN when left out; without keys: anonymous. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Don't sign, even if there are keys. `s3://anonymous@bucket/…` says the same. */
  readonly anonymous?: boolean;
  /** Bucket in the path instead of the host name; the default with an endpoint of one's own. */
  readonly pathStyle?: boolean;
}

const MAX_LISTED_OBJECTS = 1_000_000;

export class S3Store {
  readonly #settings: RequestSettings;
  readonly #bucket: string;
  readonly #key: string;
  readonly #origin: URL;
  readonly #credentials: S3Credentials | undefined;
  readonly #region: string;

  /** @throws DataArgumentError */
  constructor(url: string, options: S3Options, settings: RequestSettings) {
    const match = /^s3:\/\/(?:(anonymous)@)?([^/@]+)(?:\/(.*))?$/.exec(url);
    if (match === null) {
      throw new DataArgumentError(`"${url}" is not of the form s3://bucket/key.`, { field: 'paths' });
    }
    this.#settings = settings;
    this.#bucket = match[2]!;
    this.#key = match[3] ?? '';
    this.#region = options.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
    const isAnonymous = match[1] !== undefined || options.anonymous === true;
    this.#credentials = isAnonymous ? undefined : credentialsOf(options);
    this.#origin = originOf(this.#bucket, this.#region, options);
  }

  /**
   * The object itself, or all objects below it as a prefix.
   * @throws FileMissingError, FolderEmptyError, AccessDeniedError and what requests throw.
   */
  async list(isData: (key: string) => boolean, signal: AbortSignal | undefined): Promise<FileLocation[]> {
    if (this.#key !== '' && !this.#key.endsWith('/') && (await this.#exists(signal)))
      return [this.#file(this.#key)];
    const prefix = this.#key === '' || this.#key.endsWith('/') ? this.#key : `${this.#key}/`;
    const keys = await this.#keys(prefix, signal);
    const name = `s3://${this.#bucket}/${this.#key}`;
    if (keys.length === 0) {
      throw new FileMissingError(`There is no object or prefix ${name} on ${this.#origin.host}.`, {
        file: name,
      });
    }
    const data = keys.filter((key) => isData(key)).sort();
    if (data.length === 0) {
      throw new FolderEmptyError(`The prefix ${name} holds no file of the expected kind.`, { file: name });
    }
    return data.map((key) => this.#file(key));
  }

  #file(key: string): FileLocation {
    return httpFile(this.#urlOf(key), `s3://${this.#bucket}/${key}`, this.#settings, (request, signal) =>
      this.#send(request, signal),
    );
  }

  async #exists(signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#urlOf(this.#key);
    const name = `s3://${this.#bucket}/${this.#key}`;
    try {
      // A range rather than HEAD: the body of an error says what is wrong.
      const response = await this.#send(
        { method: 'GET', url, headers: { range: 'bytes=0-0' }, name },
        signal,
      );
      await response.body?.cancel();
      return true;
    } catch (error) {
      if (error instanceof FileMissingError) return false;
      throw error;
    }
  }

  async #keys(prefix: string, signal: AbortSignal | undefined): Promise<string[]> {
    const keys: string[] = [];
    for (let token: string | undefined = ''; token !== undefined;) {
      const url = this.#urlOf('');
      url.searchParams.set('list-type', '2');
      url.searchParams.set('prefix', prefix);
      if (token !== '') url.searchParams.set('continuation-token', token);
      const name = `s3://${this.#bucket}/${prefix}`;
      const response = await this.#send({ method: 'GET', url, headers: {}, name }, signal);
      const xml = await response.text();
      for (const [, key] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(decodeXml(key!));
      if (keys.length > MAX_LISTED_OBJECTS) {
        throw new DataArgumentError(
          `${name} holds more than ${MAX_LISTED_OBJECTS} objects; name a narrower prefix.`,
        );
      }
      const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(xml)?.[1];
      token = next === undefined ? undefined : decodeXml(next);
    }
    return keys.filter((key) => !key.endsWith('/'));
  }

  async #send(request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
    const signed =
      this.#credentials === undefined
        ? {}
        : signV4(request.method, request.url, request.headers, this.#credentials, this.#region, new Date());
    return sendRequest({ ...request, headers: { ...request.headers, ...signed } }, this.#settings, signal);
  }

  #urlOf(key: string): URL {
    const url = new URL(this.#origin);
    const path = key.split('/').map(encodeRfc3986).join('/');
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    return url;
  }
}

function credentialsOf(options: S3Options): S3Credentials | undefined {
  const accessKeyId = options.accessKeyId ?? env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = options.secretAccessKey ?? env['AWS_SECRET_ACCESS_KEY'];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken =
    options.accessKeyId === undefined
      ? (options.sessionToken ?? env['AWS_SESSION_TOKEN'])
      : options.sessionToken;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function originOf(bucket: string, region: string, options: S3Options): URL {
  const endpoint = options.endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  if (endpoint !== undefined && !URL.canParse(endpoint)) {
    throw new DataArgumentError(`The S3 endpoint "${endpoint}" is not a URL.`, { field: 's3.endpoint' });
  }
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  // A dot in the bucket's name doesn't match the certificate of *.s3.amazonaws.com.
  const inPath = options.pathStyle ?? (endpoint !== undefined || bucket.includes('.'));
  if (inPath) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeRfc3986(bucket)}`;
  else url.host = `${bucket}.${url.host}`;
  return url;
}

const xmlEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeXml(text: string): string {
  return text.replaceAll(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, name: string) => {
    if (numeric !== undefined) return String.fromCodePoint(Number.parseInt(name, numeric === '#x' ? 16 : 10));
    return xmlEntities[name] ?? whole;
  });
}
