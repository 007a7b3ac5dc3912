// s3://bucket/key and s3://bucket/prefix/ on Amazon's or any compatible store, signed or anonymous.

import {
  DataArgumentError,
  FileMissingError,
  FolderEmptyError,
  HttpStatusError,
} from '../plan/dataErrors.ts';
import type { FileLocation } from './byteFile.ts';
import { partitionsOf } from './partitionsOf.ts';
import { httpFile } from './httpFile.ts';
import { afterLostConnections, type HttpRequest, type RequestSettings, sendRequest } from './httpRequest.ts';
import { responseText } from './responseBytes.ts';
import { decodeXml, S3Location } from '../../s3/s3Location.ts';
import type { S3Options } from '../../s3/s3Options.ts';
import { atRegion, s3Redirect } from '../../s3/s3Redirect.ts';
import { signV4 } from '../../s3/signV4.ts';

const MAX_LISTED_OBJECTS = 1_000_000;
/** Of at most a thousand keys each; some stores give shorter ones. */
const MAX_PAGES = 20_000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

export class S3Store {
  readonly #settings: RequestSettings;
  readonly #location: S3Location;
  /** Of the bucket, where Amazon said that it is another one. */
  #region: string | undefined;

  /** @throws DataArgumentError */
  constructor(url: string, options: S3Options, settings: RequestSettings) {
    this.#settings = settings;
    this.#location = new S3Location(url, options);
  }

  /**
   * The object itself, or all objects below it as a prefix.
   * @param isData whether a key is wanted, given without the prefix.
   * @throws FileMissingError, FolderEmptyError, AccessDeniedError and what requests throw.
   */
  async list(isData: (key: string) => boolean, signal: AbortSignal | undefined): Promise<FileLocation[]> {
    if (this.#location.key !== '' && !this.#location.key.endsWith('/') && (await this.#exists(signal)))
      return [this.#file(this.#location.key)];
    const prefix =
      this.#location.key === '' || this.#location.key.endsWith('/')
        ? this.#location.key
        : `${this.#location.key}/`;
    const keys = await this.#keys(prefix, signal);
    const name = `s3://${this.#location.bucket}/${this.#location.key}`;
    if (keys.length === 0) {
      throw new FileMissingError(`There is no object or prefix ${name} on ${this.#location.host}.`, {
        file: name,
      });
    }
    const data = keys.filter((key) => isData(key.slice(prefix.length))).sort();
    if (data.length === 0) {
      throw new FolderEmptyError(`The prefix ${name} holds no file of the expected kind.`, { file: name });
    }
    return data.map((key) => {
      const folders = key.slice(prefix.length).split('/').slice(0, -1);
      return { ...this.#file(key), partitions: partitionsOf(folders) };
    });
  }

  #file(key: string): FileLocation {
    return httpFile(
      this.#location.urlOf(key),
      `s3://${this.#location.bucket}/${key}`,
      this.#settings,
      (request, signal) => this.#send(request, signal),
    );
  }

  async #exists(signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#location.urlOf(this.#location.key);
    const name = `s3://${this.#location.bucket}/${this.#location.key}`;
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
    const name = `s3://${this.#location.bucket}/${prefix}`;
    const keys: string[] = [];
    const tokens = new Set<string>();
    for (let token = ''; ;) {
      const page = listedPage(await this.#listing(prefix, token, name, signal));
      if (page === undefined)
        throw new HttpStatusError(`${this.#location.host} answered for ${name} with what is no listing.`, {
          file: name,
        });
      for (const key of page.keys) if (key.startsWith(prefix)) keys.push(key);
      if (keys.length > MAX_LISTED_OBJECTS) {
        throw new DataArgumentError(
          `${name} holds more than ${MAX_LISTED_OBJECTS} objects; name a narrower prefix.`,
          { file: name },
        );
      }
      if (page.next === undefined) break;
      token = page.next;
      if (tokens.has(token) || tokens.size >= MAX_PAGES)
        throw new HttpStatusError(
          `${this.#location.host} lists ${name} without end: ${tokens.has(token) ? 'it repeats a page' : `more than ${MAX_PAGES} pages`}.`,
          { file: name },
        );
      tokens.add(token);
    }
    return keys.filter((key) => !key.endsWith('/'));
  }

  async #listing(
    prefix: string,
    token: string,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const url = this.#location.urlOf('');
    url.searchParams.set('list-type', '2');
    url.searchParams.set('prefix', prefix);
    if (token !== '') url.searchParams.set('continuation-token', token);
    return afterLostConnections(this.#settings, signal, async () => {
      const response = await this.#send({ method: 'GET', url, headers: {}, name }, signal);
      return responseText(response, url, name, MAX_PAGE_BYTES, this.#settings.timeoutMs, signal);
    });
  }

  #send(request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
    const { credentials } = this.#location;
    const { method, headers, name } = request;
    const signed: HttpRequest = {
      ...request,
      url: (this.#region === undefined ? undefined : atRegion(request.url, this.#region)) ?? request.url,
      sign: (url) => {
        const region = this.#region ?? this.#location.region;
        return credentials === undefined ? {} : signV4(method, url, headers, credentials, region, new Date());
      },
      follow: (from, { status, headers: answered }) => {
        const answer = { status, header: (field: string) => answered.get(field) };
        const { url, region } = s3Redirect(from, answer, name, credentials !== undefined);
        this.#region = region ?? this.#region;
        return url;
      },
    };
    return sendRequest(signed, this.#settings, signal);
  }
}

/** Undefined for what is no listing. */
function listedPage(xml: string): { readonly keys: string[]; readonly next: string | undefined } | undefined {
  if (!xml.includes('<ListBucketResult')) return undefined;
  const keys = Array.from(xml.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key]) => decodeXml(key!));
  const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(xml)?.[1];
  return { keys, next: next === undefined || next === '' ? undefined : decodeXml(next) };
}
