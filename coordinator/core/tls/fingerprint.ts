// Fingerprints of certificates as people compare them and scripts pass them on.

import { createHash, type X509Certificate } from 'node:crypto';

/** "sha256:" and 64 lower-case hexadecimal digits, of the whole certificate. */
export function fingerprintOf(certificate: X509Certificate): string {
  return `sha256:${createHash('sha256').update(certificate.raw).digest('hex')}`;
}

/** The same from what was typed: upper case and colons between the bytes are as good. Undefined for anything else. */
export function parseFingerprint(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/^sha-?256[:=]/, '')
    .replaceAll(':', '');
  return /^[0-9a-f]{64}$/.test(digits) ? `sha256:${digits}` : undefined;
}

/** "AB:CD:…", the way browsers and systems show it. */
export function shownFingerprint(fingerprint: string): string {
  return (fingerprint.replace(/^sha256:/, '').match(/../g) ?? []).join(':').toUpperCase();
}

/** The SHA-256 of the certificate's public key in base64, as Chromium takes it to trust one key. */
export function keyPinOf(certificate: X509Certificate): string {
  const der = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64');
}
