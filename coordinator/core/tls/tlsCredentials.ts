// A certificate with its private key, checked before a server shows it: a wrong one would only be noticed by those who
// then can't connect.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { TlsCertificateError } from './tlsErrors.ts';

export interface TlsCredentials {
  /** The server's certificate first, then those that lead to the authority; PEM. */
  readonly cert: string;
  readonly key: string;
}

/** The certificate and the key as errors name them. */
export interface CredentialFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * @returns the server's own certificate.
 * @throws TlsCertificateError naming the file.
 */
export function checkCredentials(
  { cert, key }: TlsCredentials,
  files: CredentialFiles,
  nowMs: number,
): X509Certificate {
  const certificate = parsed(
    () => new X509Certificate(cert),
    `${files.cert} holds no certificate in PEM`,
    files.cert,
  );
  const privateKey = parsed<KeyObject>(
    () => createPrivateKey(key),
    `${files.key} holds no private key in PEM that opens without a passphrase`,
    files.key,
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TlsCertificateError(
      `The key in ${files.key} is not that of the certificate in ${files.cert}.`,
      {
        file: files.key,
      },
    );
  }
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) <= nowMs) {
    throw new TlsCertificateError(`The certificate in ${files.cert} expired on ${validTo}.`, {
      file: files.cert,
    });
  }
  if (Date.parse(validFrom) > nowMs) {
    throw new TlsCertificateError(`The certificate in ${files.cert} is good only from ${validFrom} on.`, {
      file: files.cert,
    });
  }
  return certificate;
}

function parsed<T>(parse: () => T, what: string, file: string): T {
  try {
    return parse();
  } catch (cause) {
    throw new TlsCertificateError(`${what}: ${messageOf(cause)}.`, { file }, { cause });
  }
}
