// Where an s3:// URL points to and with whose keys: for readers of data and for the blob store alike.

import { env } from 'node:process';
import { TabgradError } from '../../kernels/errors.ts';
import type { S3Options } from './s3Options.ts';
import { encodeRfc3986, type S3Credentials } from './signV4.ts';

/** A location or an endpoint is none. */
class S3ArgumentError extends TabgradError {
  readonly code = 'DATA_ARGUMENT';
}

export class S3Location {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  readonly credentials: S3Credentials | undefined;
  readonly #origin: URL;

  /** @throws S3ArgumentError */
  constructor(url: string, options: S3Options) {
    const match = /^s3:\/\/(?:(anonymous)@)?([^/@]+)(?:\/(.*))?$/.exec(url);
    if (match === null) {
      throw new S3ArgumentError(`"${url}" is not of the form s3://bucket/key.`, { field: 'paths' });
    }
    this.bucket = match[2]!;
    this.key = match[3] ?? '';
    this.region = options.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
    const isAnonymous = match[1] !== undefined || options.anonymous === true;
    this.credentials = isAnonymous ? undefined : credentialsOf(options);
    this.#origin = originOf(this.bucket, this.region, options);
  }

  get host(): string {
    return this.#origin.host;
  }

  /** @throws S3ArgumentError for keys that no URL can name. */
  urlOf(key: string): URL {
    if (key.split('/').some((part) => part === '.' || part === '..')) {
      throw new S3ArgumentError(
        `s3://${this.bucket}/${key} has a part "." or ".."; URLs take it for the folder above, so that such an object can not be read.`,
        { field: 'paths', file: `s3://${this.bucket}/${key}` },
      );
    }
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
    throw new S3ArgumentError(`The S3 endpoint "${endpoint}" is not a URL.`, { field: 's3.endpoint' });
  }
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  // A dot in the bucket's name doesn't match the certificate of *.s3.amazonaws.com.
  const inPath = options.pathStyle ?? (endpoint !== undefined || bucket.includes('.'));
  if (inPath) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeRfc3986(bucket)}`;
  else url.host = `${bucket}.${url.host}`;
  return url;
}

const xmlEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text of an element in what S3 answers. */
export function decodeXml(text: string): string {
  return text.replaceAll(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, name: string) => {
    if (numeric !== undefined) {
      const code = Number.parseInt(name, numeric === '#x' ? 16 : 10);
      return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    }
    return xmlEntities[name] ?? whole;
  });
}
