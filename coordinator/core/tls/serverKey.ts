// Private keys as they are made and kept here.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { readOrMakeKeyFile } from './keyFiles.ts';
import { TlsCertificateError } from './tlsErrors.ts';

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** The key in `file`, made where it is missing. @throws TlsFileError, TlsCertificateError */
export async function openServerKey(file: string): Promise<KeyObject> {
  const pem = await readOrMakeKeyFile(file, () => pemOf(newKey()));
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new TlsCertificateError(`${file} holds no private key: ${messageOf(cause)}.`, { file }, { cause });
  }
}
