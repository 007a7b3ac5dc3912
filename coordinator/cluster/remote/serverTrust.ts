// Whom to trust besides the authorities that Node knows: one from a file, or the one whose fingerprint is known.
// Certificates are always checked, by name and chain.

import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { AbortedError, DeadlineError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { readPem } from '../../core/tls/fileTls.ts';
import { fingerprintOf, keyPinOf, parseFingerprint } from '../../core/tls/fingerprint.ts';
import { ServerUntrustedError, TlsCertificateError } from '../../core/tls/tlsErrors.ts';
import { CoordinatorUnreachableError } from './remoteErrors.ts';

export interface TrustSettings {
  readonly url: string;
  /** PEM file with certificates of authorities. */
  readonly caFile?: string | undefined;
  /** Of the authority that the server shows: "sha256:" and 64 hexadecimal digits. */
  readonly caFingerprint?: string | undefined;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 10_000;
/** Chains are three or four long. */
const MAX_CHAIN = 10;

/**
 * @returns the authorities' certificates in PEM, or undefined when nothing besides the usual is to be trusted.
 * @throws TlsFileError, TlsCertificateError, ServerUntrustedError, CoordinatorUnreachableError, DeadlineError, AbortedError
 */
export async function trustedAuthorities(settings: TrustSettings): Promise<string | undefined> {
  const { url, caFile, caFingerprint } = settings;
  if (caFile !== undefined) return readAuthorities(caFile);
  if (caFingerprint === undefined) return undefined;
  const wanted = parseFingerprint(caFingerprint);
  if (wanted === undefined) {
    throw new TlsCertificateError(
      `"${caFingerprint.slice(0, 100)}" is no fingerprint; expected sha256: and 64 hexadecimal digits.`,
      { field: 'ca-fingerprint' },
    );
  }
  const shown = await shownChain(settings);
  const found = shown.find((certificate) => certificate.ca && fingerprintOf(certificate) === wanted);
  if (found) return found.toString();
  const last = shown.at(-1);
  throw new ServerUntrustedError(
    `${url} shows no authority with the fingerprint ${wanted}; ` +
      (last === undefined ? 'it shows none.' : `the last of its certificates has ${fingerprintOf(last)}.`),
    { field: 'ca-fingerprint' },
  );
}

/**
 * The pin of the key that the server proves to have, its certificate being good for `authorities`. Chromium takes such a
 * pin where an authority can't be installed.
 * @throws ServerUntrustedError, CoordinatorUnreachableError, DeadlineError, AbortedError
 */
export async function serverKeyPin(url: string, authorities: string, signal: AbortSignal): Promise<string> {
  const [own] = await certificatesAt(url, { ca: authorities }, signal);
  if (own === undefined) throw new ServerUntrustedError(`${url} shows no certificate.`);
  return keyPinOf(own);
}

/** As the environment names them: for scripts, which have no command line. @throws as trustedAuthorities. */
export function environmentAuthorities(url: string, signal: AbortSignal): Promise<string | undefined> {
  const { TABGRAD_CA: caFile, TABGRAD_CA_FINGERPRINT: caFingerprint } = process.env;
  return trustedAuthorities({ url, signal, caFile, caFingerprint });
}

async function readAuthorities(file: string): Promise<string> {
  const text = await readPem(file);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new TlsCertificateError(`${file} holds no certificate in PEM.`, { file });
  const parsed: string[] = [];
  for (const block of blocks) {
    try {
      parsed.push(new X509Certificate(block).toString());
    } catch (cause) {
      throw new TlsCertificateError(
        `A certificate in ${file} is damaged: ${messageOf(cause)}.`,
        { file },
        { cause },
      );
    }
  }
  return parsed.join('');
}

/**
 * What the server shows, unchecked: it is compared with the fingerprint, and nothing is ever sent over this connection.
 * All others check the certificate against the authority that was found so.
 */
function shownChain({ url, signal }: TrustSettings): Promise<X509Certificate[]> {
  return certificatesAt(url, { rejectUnauthorized: false }, signal);
}

function certificatesAt(
  url: string,
  options: { readonly ca: string } | { readonly rejectUnauthorized: false },
  signal: AbortSignal,
): Promise<X509Certificate[]> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') {
    throw new ServerUntrustedError(`${url} is not encrypted: an authority can only be checked over https.`);
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) || 443, ...serverName(host), ...options });
    const withdraw = (): void =>
      fail(new AbortedError(`Looking at the certificate of ${url} was called off.`));
    const timer = setTimeout(
      () => fail(new DeadlineError(`${url} did not show its certificate within ${TIMEOUT_MS} ms.`)),
      TIMEOUT_MS,
    );
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', withdraw);
      socket.destroy();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    signal.addEventListener('abort', withdraw, { once: true });
    if (signal.aborted) withdraw();
    socket.once('secureConnect', () => {
      const chain = chainOf(socket);
      end();
      resolve(chain);
    });
    socket.once('error', (error) => fail(connectionFailure(url, error)));
  });
}

/** Addresses are not allowed in the name that TLS asks for (RFC 6066, 3). */
function serverName(host: string): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let shown: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (shown?.raw && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(shown.raw));
    // The last one is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate;
  }
  return chain;
}

/** OpenSSL's reasons not to trust a certificate, as Node names them (violated constraints not at all), and Node's own. */
const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_|INVALID_CA|PATH_LENGTH_EXCEEDED|UNSPECIFIED$)/;

/** Why a server's certificate was not accepted, or undefined when something else went wrong. */
export function untrustedReason(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && UNTRUSTED.test(code) ? `${messageOf(error)} (${code})` : undefined;
}

export function untrustedServer(url: string, reason: string, cause: unknown): ServerUntrustedError {
  return new ServerUntrustedError(
    `The certificate of ${url} is not trusted: ${reason}. Where the coordinator made its own authority, say ` +
      '--ca FILE or --ca-fingerprint sha256:… ("tabgrad up" prints it), or set TABGRAD_CA or TABGRAD_CA_FINGERPRINT.',
    {},
    { cause },
  );
}

function connectionFailure(url: string, error: Error): Error {
  const reason = untrustedReason(error);
  if (reason !== undefined) return untrustedServer(url, reason, error);
  return new CoordinatorUnreachableError(`${url} can not be reached over TLS: ${messageOf(error)}.`, true, {
    cause: error,
  });
}
