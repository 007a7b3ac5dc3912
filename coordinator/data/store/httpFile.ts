// Files on web servers and object stores: ranges where the server knows them, else one download to a temporary file.

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryFolder, type TemporaryFolder } from '../../files/temporaryFolder.ts';
import {
  CorruptFileError,
  FileChangedError,
  HttpStatusError,
  LostConnectionError,
} from '../plan/dataErrors.ts';
import type { ByteFile, FileLocation } from './byteFile.ts';
import {
  afterLostConnections,
  type HttpRequest,
  type RequestSettings,
  sendRequest,
  type SendRequest,
  waitToRetry,
} from './httpRequest.ts';
import { localFile } from './localFile.ts';
import { responseBytes } from './responseBytes.ts';

export function httpFile(
  url: URL,
  name: string,
  settings: RequestSettings,
  send?: SendRequest,
): FileLocation {
  const sender: SendRequest = send ?? ((request, signal) => sendRequest(request, settings, signal));
  return { name, open: (signal) => openHttpFile(url, name, settings, sender, signal) };
}

/** A one-byte range tells what a HEAD would and, too, whether ranges work; servers answer it more often than HEAD. */
async function openHttpFile(
  url: URL,
  name: string,
  settings: RequestSettings,
  send: SendRequest,
  signal: AbortSignal | undefined,
): Promise<ByteFile> {
  return afterLostConnections(settings, signal, () => openOnce(url, name, settings, send, signal));
}

async function openOnce(
  url: URL,
  name: string,
  settings: RequestSettings,
  send: SendRequest,
  signal: AbortSignal | undefined,
): Promise<ByteFile> {
  const request: HttpRequest = { method: 'GET', url, headers: { range: 'bytes=0-0' }, name };
  const response = await send(request, signal);
  const size = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (response.status === 206 && size !== undefined) {
    await response.body?.cancel();
    return new RangedFile(url, name, Number(size), versionOf(response, Number(size)), settings, send);
  }
  if (response.status === 416) {
    await response.body?.cancel();
    // An empty file has no first byte.
    throw new CorruptFileError(`${name} is empty.`, { file: name });
  }
  return download(url, name, response, settings, signal);
}

function versionOf(response: Response, size: number): string {
  return response.headers.get('etag') ?? `${size} ${response.headers.get('last-modified') ?? ''}`;
}

class RangedFile implements ByteFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly version: string;
  readonly #url: URL;
  readonly #settings: RequestSettings;
  readonly #send: SendRequest;

  constructor(
    url: URL,
    name: string,
    sizeBytes: number,
    version: string,
    settings: RequestSettings,
    send: SendRequest,
  ) {
    this.#url = url;
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.version = version;
    this.#settings = settings;
    this.#send = send;
  }

  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - start);
    if (bytes.length === 0) return bytes;
    let filled = 0;
    for await (const piece of this.#range(start, end, signal)) {
      if (filled + piece.length > bytes.length) throw this.#wrongLength(start, end);
      bytes.set(piece, filled);
      filled += piece.length;
    }
    if (filled < bytes.length) throw this.#wrongLength(start, end);
    return bytes;
  }

  async *stream(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let seen = 0;
    for await (const piece of this.#range(0, this.sizeBytes, signal)) {
      seen += piece.length;
      yield piece;
    }
    if (seen !== this.sizeBytes) throw this.#wrongLength(0, this.sizeBytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** A connection that is lost half-way is made again for the rest, as often as the settings allow. */
  async *#range(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let from = start;
    for (let attempt = 0; ; attempt++) {
      try {
        for await (const piece of this.#oneRange(from, end, signal)) {
          from += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        if (attempt >= this.#settings.retries || !(error instanceof LostConnectionError) || from >= end)
          throw error;
      }
      await waitToRetry(this.#settings, attempt, signal);
    }
  }

  async *#oneRange(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const headers = { range: `bytes=${start}-${end - 1}` };
    const response = await this.#send({ method: 'GET', url: this.#url, headers, name: this.name }, signal);
    const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? this.sizeBytes);
    if (response.status >= 400 || versionOf(response, total) !== this.version) {
      await response.body?.cancel();
      throw new FileChangedError(`${this.name} changed on ${this.#url.host} while it was read.`, {
        file: this.name,
      });
    }
    if (response.status !== 206) {
      await response.body?.cancel();
      throw new HttpStatusError(
        `${this.#url.host} answered a range of ${this.name} with status ${response.status} instead of 206.`,
        { file: this.name },
      );
    }
    yield* responseBytes(response, this.#url, this.name, this.#settings.timeoutMs, signal);
  }

  #wrongLength(start: number, end: number): CorruptFileError {
    return new CorruptFileError(
      `${this.#url.host} did not send ${end - start} bytes of ${this.name} from byte ${start} on.`,
      { file: this.name },
    );
  }
}

/** The whole file, on disk rather than in memory. It is removed when the file is closed. */
async function download(
  url: URL,
  name: string,
  response: Response,
  settings: RequestSettings,
  signal: AbortSignal | undefined,
): Promise<ByteFile> {
  const folder = await makeTemporaryFolder('download');
  try {
    const path = join(folder.path, 'content');
    const handle = await open(path, 'w');
    let size = 0;
    try {
      for await (const piece of responseBytes(response, url, name, settings.timeoutMs, signal)) {
        await handle.writeFile(piece);
        size += piece.length;
      }
    } finally {
      await handle.close();
    }
    const announced = response.headers.get('content-length');
    if (announced !== null && Number(announced) !== size) {
      throw new CorruptFileError(`${url.host} announced ${announced} bytes of ${name} and sent ${size}.`, {
        file: name,
      });
    }
    return new DownloadedFile(name, versionOf(response, size), folder, await localFile(path).open(signal));
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

class DownloadedFile implements ByteFile {
  readonly name: string;
  readonly version: string;
  readonly #folder: TemporaryFolder;
  readonly #local: ByteFile;

  constructor(name: string, version: string, folder: TemporaryFolder, local: ByteFile) {
    this.name = name;
    this.version = version;
    this.#folder = folder;
    this.#local = local;
  }

  get sizeBytes(): number {
    return this.#local.sizeBytes;
  }

  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return this.#local.read(start, end, signal);
  }

  stream(signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#local.stream(signal);
  }

  async close(): Promise<void> {
    await this.#local.close();
    await this.#folder.remove();
  }
}
