// A certificate from files that somebody else renews, as certbot and most authorities' programs do.

import { readFile } from 'node:fs/promises';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { certificateNames } from './certificateNames.ts';
import { checkCredentials, type CredentialFiles, type TlsCredentials } from './tlsCredentials.ts';
import { TlsFileError } from './tlsErrors.ts';
import type { TlsSource } from './tlsSource.ts';

/** A longer file is no certificate chain. */
const MAX_FILE_BYTES = 1024 * 1024;

/** @throws TlsFileError, TlsCertificateError */
export async function openFileTls(files: CredentialFiles, nowMs: () => number): Promise<TlsSource> {
  let credentials = await readCredentials(files);
  let names = certificateNames(checkCredentials(credentials, files, nowMs()));
  return {
    get credentials() {
      return credentials;
    },
    get names() {
      return names;
    },
    authority: undefined,
    async renew() {
      const found = await readCredentials(files);
      if (found.cert === credentials.cert && found.key === credentials.key) return false;
      names = certificateNames(checkCredentials(found, files, nowMs()));
      credentials = found;
      return true;
    },
  };
}

async function readCredentials(files: CredentialFiles): Promise<TlsCredentials> {
  return { cert: await readPem(files.cert), key: await readPem(files.key) };
}

/** @throws TlsFileError */
export async function readPem(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new TlsFileError(`${file} can not be read: ${messageOf(cause)}.`, { file }, { cause });
  }
  if (bytes.byteLength > MAX_FILE_BYTES) {
    throw new TlsFileError(`${file} has ${bytes.byteLength} bytes, expected at most ${MAX_FILE_BYTES}.`, {
      file,
    });
  }
  return bytes.toString('utf8');
}
