// The authority that a storage folder keeps: made once, and made anew when it is about to end, may vouch for more than it
// should, or lacks a name that its owner wants.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../log/log.ts';
import { fingerprintOf } from './fingerprint.ts';
import { issueAuthority } from './issueCertificate.ts';
import { readKeyFile, readOrMakeKeyFile, removeKeyFile, replaceFile } from './keyFiles.ts';
import { constraintsFor, constraintsOf, isPermitted, type NameConstraints } from './nameConstraints.ts';
import { newKey, pemOf } from './serverKey.ts';
import { checkCredentials } from './tlsCredentials.ts';
import { TlsCertificateError } from './tlsErrors.ts';

export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly constraints: NameConstraints;
  readonly endsMs: number;
}

export interface AuthorityWish {
  /** Folder of the keys. */
  readonly folder: string;
  /** Names that the authority must be able to vouch for. */
  readonly wanted: readonly string[];
  /** Names that a new one is made for, too. */
  readonly present: readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly log: Log;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 2 * 365;
const REPLACE_BEFORE_DAYS = 7;
/** Clocks of other machines may be behind. */
export const BACKDATED_MS = DAY_MS;

/** When an authority that ends then is replaced. */
export function replacementMs(endsMs: number): number {
  return endsMs - REPLACE_BEFORE_DAYS * DAY_MS;
}

/** @throws TlsFileError, TlsCertificateError */
export async function openAuthority(wish: AuthorityWish): Promise<Authority> {
  const { folder, nowMs, log } = wish;
  // The certificate is in there as well, so that neither is ever there without the other.
  const file = join(folder, 'authority-key.pem');
  const publicFile = join(folder, 'authority.pem');
  let earlier: { readonly certificate: X509Certificate; readonly reason: string } | undefined;
  const stored = await readKeyFile(file);
  if (stored === undefined) {
    const older = await readKeyFile(publicFile);
    // Where the key was before there were constraints.
    if (older?.includes('PRIVATE KEY') === true)
      earlier = { certificate: parsed(older, publicFile), reason: 'the old one could vouch for any site' };
  } else {
    const certificate = parsed(stored, file);
    const reason = faultOf(certificate, wish);
    if (reason !== undefined) {
      earlier = { certificate, reason };
      await removeKeyFile(file, stored);
    }
  }
  const before = earlier && constraintsOf(earlier.certificate);
  const names = [...wish.wanted, ...wish.present];
  const pem = await readOrMakeKeyFile(file, () => makeAuthority(nowMs, constraintsFor(names, before)));
  const authority = authorityIn(pem, file, nowMs);
  await replaceFile(publicFile, authority.certificate.toString());
  if (earlier !== undefined) {
    log({
      level: 'warn',
      message:
        `The certificate authority in ${folder} was made anew: ${earlier.reason}. Whoever trusted it (${fingerprintOf(earlier.certificate)}) ` +
        `should remove it, and has to trust the new one: ${fingerprintOf(authority.certificate)}`,
    });
  }
  return authority;
}

/** Why an authority has to be made anew, or undefined. */
function faultOf(certificate: X509Certificate, { wanted, nowMs }: AuthorityWish): string | undefined {
  const constraints = constraintsOf(certificate);
  if (constraints === undefined) return 'the old one could vouch for any site';
  const missing = wanted.filter((name) => !isPermitted(constraints, name));
  if (missing.length > 0) return `the old one may not vouch for ${missing.join(', ')}`;
  const ends = replacementMs(Date.parse(certificate.validTo)) <= nowMs;
  return ends ? `the old one ends on ${certificate.validTo}` : undefined;
}

function makeAuthority(nowMs: number, constraints: NameConstraints): string {
  const key = newKey();
  const certificate = issueAuthority({
    // The machine's name tells the authorities of several machines apart in a list of trusted ones.
    commonName: `tabgrad on ${hostname()
      .replaceAll(/[^\w.-]/g, '')
      .slice(0, 40)}`,
    key,
    constraints,
    fromMs: nowMs - BACKDATED_MS,
    untilMs: nowMs + AUTHORITY_DAYS * DAY_MS,
  });
  return certificate + pemOf(key);
}

function parsed(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TlsCertificateError(`${file} holds no certificate in PEM.`, { file }, { cause });
  }
}

/** @throws TlsCertificateError */
function authorityIn(pem: string, file: string, nowMs: number): Authority {
  const certificate = checkCredentials({ cert: pem, key: pem }, { cert: file, key: file }, nowMs);
  const constraints = constraintsOf(certificate);
  if (!certificate.ca || constraints === undefined) {
    throw new TlsCertificateError(`The certificate in ${file} is not that of an authority.`, { file });
  }
  return { certificate, key: createPrivateKey(pem), constraints, endsMs: Date.parse(certificate.validTo) };
}
