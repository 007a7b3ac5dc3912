// A certificate authority of one's own, for networks where no public one vouches for anybody: WebGPU needs a secure
// context, and outside of localhost that is https. The authority is made once and kept; people trust it by its
// fingerprint. Server certificates are issued for a month and by themselves replaced after two thirds of it.

import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../shared/text/messageOf.ts';
import { coversHost } from './certificateNames.ts';
import { fingerprintOf } from './fingerprint.ts';
import { issueAuthority, issueServer } from './issueCertificate.ts';
import { checkCredentials, type TlsCredentials } from './tlsCredentials.ts';
import { TlsCertificateError, TlsFileError } from './tlsErrors.ts';
import type { TlsSource } from './tlsSource.ts';

export interface LocalAuthorityOptions {
  /** The storage folder; the keys are in its folder "tls", which only their owner may read. */
  readonly folder: string;
  /** Names and addresses that the server goes by now; asked again at each renewal, since addresses change. */
  readonly names: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3_650;
const SERVER_DAYS = 30;
const RENEW_BEFORE_DAYS = 10;
/** Clocks of other machines may be behind. */
const BACKDATED_MS = DAY_MS;

/** @throws TlsFileError, TlsCertificateError */
export async function openLocalAuthority({
  folder,
  names,
  nowMs,
}: LocalAuthorityOptions): Promise<TlsSource> {
  const keys = join(folder, 'tls');
  await prepareFolder(keys);
  const file = join(keys, 'authority.pem');
  const pem = await readOrMake(file, () => makeAuthority(nowMs()));
  const certificate = checkCredentials({ cert: pem, key: pem }, { cert: file, key: file }, nowMs());
  if (!certificate.ca) {
    throw new TlsCertificateError(`The certificate in ${file} is not that of an authority.`, { file });
  }
  // Kept over renewals: who trusts this one key (a headless tab) goes on doing so.
  const keyFile = join(keys, 'server-key.pem');
  const authority = { certificate, key: createPrivateKey(pem) };
  const serverKey = privateKeyIn(keyFile, await readOrMake(keyFile, () => pemOf(newKey())));
  const issue = (): Issued => issueFor(authority, serverKey, [...new Set(names())], nowMs());
  let issued = issue();
  return {
    get credentials() {
      return issued.credentials;
    },
    get names() {
      return issued.names;
    },
    authority: {
      pem: certificate.toString(),
      der: certificate.raw,
      fingerprint: fingerprintOf(certificate),
    },
    renew() {
      const isFresh = issued.untilMs - nowMs() > RENEW_BEFORE_DAYS * DAY_MS;
      if (isFresh && names().every((name) => coversHost(issued.names, name))) return Promise.resolve(false);
      issued = issue();
      return Promise.resolve(true);
    },
  };
}

interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

interface Issued {
  readonly credentials: TlsCredentials;
  readonly names: readonly string[];
  readonly untilMs: number;
}

/** Certificate and key in one file, so that neither is ever there without the other. */
function makeAuthority(nowMs: number): string {
  const key = newKey();
  const certificate = issueAuthority({
    // The machine's name tells the authorities of several machines apart in a list of trusted ones.
    commonName: `tabgrad on ${hostname()
      .replaceAll(/[^\w.-]/g, '')
      .slice(0, 40)}`,
    key,
    fromMs: nowMs - BACKDATED_MS,
    untilMs: nowMs + AUTHORITY_DAYS * DAY_MS,
  });
  return certificate + pemOf(key);
}

function issueFor(
  { certificate, key: issuerKey }: Authority,
  key: KeyObject,
  names: readonly string[],
  nowMs: number,
): Issued {
  const untilMs = Math.min(nowMs + SERVER_DAYS * DAY_MS, Date.parse(certificate.validTo));
  const cert = issueServer({
    commonName: 'tabgrad',
    names,
    key,
    issuerName: certificate.subject.replace(/^CN=/, ''),
    issuerKey,
    fromMs: Math.max(nowMs - BACKDATED_MS, Date.parse(certificate.validFrom)),
    untilMs,
  });
  // With the authority behind it, so that who knows its fingerprint alone can find it in the handshake.
  return { credentials: { cert: cert + certificate.toString(), key: pemOf(key) }, names, untilMs };
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

function privateKeyIn(file: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new TlsCertificateError(`${file} holds no private key: ${messageOf(cause)}.`, { file }, { cause });
  }
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (cause) {
    throw new TlsFileError(
      `The folder ${folder} for keys can not be made: ${messageOf(cause)}.`,
      { file: folder },
      { cause },
    );
  }
}

/** What the file holds; made where it is missing. Two processes that make it at once end with the same. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  try {
    const found = await readIfThere(file);
    if (found !== undefined) {
      // A backup that was put back may have lost this.
      await chmod(file, 0o600);
      return found;
    }
    const aside = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(aside, make(), { mode: 0o600, flag: 'wx', flush: true });
      await link(aside, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(aside, { force: true });
    }
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TlsFileError(`The key file ${file} can not be used: ${messageOf(cause)}.`, { file }, { cause });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
