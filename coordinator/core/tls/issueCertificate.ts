// Writes and signs X.509 certificates on elliptic curves (RFC 5280): of an authority, and of servers that it vouches for.

import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from './der.ts';
import { encodeConstraints, type NameConstraints, addressBytes } from './nameConstraints.ts';

interface Validity {
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface AuthorityRequest extends Validity {
  readonly commonName: string;
  readonly key: KeyObject;
  /** For whom it may vouch. */
  readonly constraints: NameConstraints;
}

export interface ServerRequest extends Validity {
  readonly commonName: string;
  /** Host names and addresses. */
  readonly names: readonly string[];
  readonly key: KeyObject;
  readonly issuerName: string;
  readonly issuerKey: KeyObject;
}

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  nameConstraints: '2.5.29.30',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

/** @returns PEM. */
export function issueAuthority(request: AuthorityRequest): string {
  const { commonName, key, constraints } = request;
  return signed(request, commonName, commonName, key, key, [
    // An authority that vouches for servers and for no further authority.
    extension(oids.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), true),
    // keyCertSign and cRLSign, bits 5 and 6.
    extension(oids.keyUsage, bitString(Buffer.from([0b0000_0110]), 1), true),
    extension(oids.extendedKeyUsage, sequence(objectId(oids.serverAuth))),
    extension(oids.nameConstraints, encodeConstraints(constraints), true),
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(key))),
  ]);
}

/** @returns PEM. */
export function issueServer(request: ServerRequest): string {
  const { commonName, names, key, issuerName, issuerKey } = request;
  return signed(request, commonName, issuerName, key, issuerKey, [
    extension(oids.basicConstraints, sequence(), true),
    // digitalSignature, bit 0.
    extension(oids.keyUsage, bitString(Buffer.from([0b1000_0000]), 7), true),
    extension(oids.extendedKeyUsage, sequence(objectId(oids.serverAuth))),
    extension(oids.subjectAltName, sequence(...names.map(generalName))),
    extension(oids.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(issuerKey)))),
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(key))),
  ]);
}

function signed(
  { fromMs, untilMs }: Validity,
  subject: string,
  issuer: string,
  key: KeyObject,
  issuerKey: KeyObject,
  extensions: readonly Uint8Array[],
): string {
  const algorithm = sequence(objectId(oids.ecdsaWithSha256));
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))), // Version 3.
    // Unlike any other: 64 random bits are asked for by the CA/Browser Forum, these are 126.
    integer(withHighBits(randomBytes(16))),
    algorithm,
    distinguishedName(issuer),
    sequence(time(fromMs), time(untilMs)),
    distinguishedName(subject),
    publicKeyInfo(key),
    tagged(3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuerKey);
  const der = sequence(body, algorithm, bitString(signature));
  return pem('CERTIFICATE', der);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Positive and of full length. */
function withHighBits(bytes: Buffer): Buffer {
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectId(oids.commonName), utf8String(commonName))));
}

function extension(oid: string, value: Uint8Array, isCritical = false): Buffer {
  return sequence(objectId(oid), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

/** A dNSName, or an iPAddress of 4 or 16 bytes. */
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name, 'ascii')) : implicit(7, addressBytes(name));
}

function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** Names a key to those who build chains; any value that is the key's own does. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyInfo(key)).digest().subarray(0, 20);
}
