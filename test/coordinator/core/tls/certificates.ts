// Certificates for tests, of one's own authority: good ones, and ones that are wrong in a single way.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueAuthority, issueServer } from '../../../../coordinator/core/tls/issueCertificate.ts';
import { constraintsFor } from '../../../../coordinator/core/tls/nameConstraints.ts';
import { newKey, pemOf } from '../../../../coordinator/core/tls/serverKey.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface TestAuthority {
  readonly pem: string;
  readonly key: KeyObject;
}

export function testAuthority(): TestAuthority {
  const key = newKey();
  const now = Date.now();
  const pem = issueAuthority({
    commonName: 'test authority',
    key,
    constraints: constraintsFor([]),
    fromMs: now - DAY_MS,
    untilMs: now + 30 * DAY_MS,
  });
  return { pem, key };
}

/** Writes cert.pem and key.pem into `folder`; days count from now. */
export async function writeServer(
  folder: string,
  authority: TestAuthority,
  {
    names = ['127.0.0.1', 'localhost'],
    fromDay = -1,
    untilDay = 10,
  }: { names?: readonly string[]; fromDay?: number; untilDay?: number } = {},
): Promise<{ certFile: string; keyFile: string }> {
  const key = newKey();
  const cert = issueServer({
    commonName: 'test server',
    names,
    key,
    issuerName: 'test authority',
    issuerKey: createPrivateKey(pemOf(authority.key)),
    fromMs: Date.now() + fromDay * DAY_MS,
    untilMs: Date.now() + untilDay * DAY_MS,
  });
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  await writeFile(certFile, cert + authority.pem);
  await writeFile(keyFile, pemOf(key));
  return { certFile, keyFile };
}
