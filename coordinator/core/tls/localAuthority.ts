// A certificate authority of one's own, for networks where no public one vouches for anybody: WebGPU needs a secure
// context, and outside of localhost that is https. The authority is kept for two years; people trust it by its
// fingerprint. Server certificates are issued for a month and by themselves replaced after two thirds of it.

import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '../../log/log.ts';
import { BACKDATED_MS, openAuthority, replacementMs, type Authority } from './authorityKeys.ts';
import { coversHost } from './certificateNames.ts';
import { fingerprintOf } from './fingerprint.ts';
import { issueServer } from './issueCertificate.ts';
import { prepareKeyFolder } from './keyFiles.ts';
import { isPermitted } from './nameConstraints.ts';
import { openServerKey, pemOf } from './serverKey.ts';
import type { TlsCredentials } from './tlsCredentials.ts';
import type { TlsSource } from './tlsSource.ts';

export interface LocalAuthorityOptions {
  /** The storage folder; the keys are in its folder "tls", which only their owner may read. */
  readonly folder: string;
  /** Names and addresses that the server has to have. An authority that may not vouch for them is made anew. */
  readonly wanted: readonly string[];
  /** Those that the machine has now; asked again at each renewal, since addresses change. */
  readonly present: () => readonly string[];
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly log: Log;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const SERVER_DAYS = 30;
const RENEW_BEFORE_DAYS = 10;
/** From how long before the end on, and how often, the owner is told that the authority ends. */
const ANNOUNCE_BEFORE_DAYS = 60;
const ANNOUNCE_EVERY_DAYS = 7;

interface Issued {
  readonly credentials: TlsCredentials;
  readonly names: readonly string[];
  readonly untilMs: number;
}

/** @throws TlsFileError, TlsCertificateError */
export async function openLocalAuthority(options: LocalAuthorityOptions): Promise<TlsSource> {
  const { wanted, present, nowMs, log } = options;
  const folder = join(options.folder, 'tls');
  await prepareKeyFolder(folder);
  const open = (): Promise<Authority> =>
    openAuthority({ folder, wanted, present: present(), nowMs: nowMs(), log });
  // Kept over renewals: who trusts this one key (a headless tab) goes on doing so.
  const serverKey = await openServerKey(join(folder, 'server-key.pem'));
  let authority = await open();
  let announcedMs = Number.NEGATIVE_INFINITY;
  let leftOut = '';

  const names = (): string[] => {
    const all = [...new Set([...wanted, ...present()])];
    const others = all.filter((name) => !isPermitted(authority.constraints, name)).join(', ');
    if (others !== '' && others !== leftOut) {
      log({
        level: 'warn',
        message: `The certificate is not good for ${others}: the authority may not vouch for them. Where they are needed, name them in --tls-names; the authority is made anew then`,
      });
    }
    leftOut = others;
    return all.filter((name) => isPermitted(authority.constraints, name));
  };
  const announceEnd = (): void => {
    const { endsMs } = authority;
    const isDue = nowMs() - announcedMs >= ANNOUNCE_EVERY_DAYS * DAY_MS;
    if (!isDue || endsMs - nowMs() > ANNOUNCE_BEFORE_DAYS * DAY_MS) return;
    announcedMs = nowMs();
    log({
      level: 'warn',
      message:
        `The certificate authority in ${folder} ends on ${new Date(endsMs).toISOString()}. A new one is made on ` +
        `${new Date(replacementMs(endsMs)).toISOString()}, or at a start without the folder; volunteers have to trust it then`,
    });
  };
  const renewAuthority = async (): Promise<boolean> => {
    if (nowMs() < replacementMs(authority.endsMs)) return false;
    authority = await open();
    return true;
  };

  announceEnd();
  let issued = issueFor(authority, serverKey, names(), nowMs());
  return {
    get credentials() {
      return issued.credentials;
    },
    get names() {
      return issued.names;
    },
    get authority() {
      const { certificate } = authority;
      return {
        pem: certificate.toString(),
        der: certificate.raw,
        fingerprint: fingerprintOf(certificate),
      };
    },
    async renew() {
      const isNew = await renewAuthority();
      announceEnd();
      // One that ends with the authority can not be had for longer.
      const isFresh =
        issued.untilMs === authority.endsMs || issued.untilMs - nowMs() > RENEW_BEFORE_DAYS * DAY_MS;
      const wantedNow = names();
      if (!isNew && isFresh && wantedNow.every((name) => coversHost(issued.names, name))) return false;
      issued = issueFor(authority, serverKey, wantedNow, nowMs());
      return true;
    },
  };
}

function issueFor(
  { certificate, key: issuerKey, endsMs }: Authority,
  key: KeyObject,
  names: readonly string[],
  nowMs: number,
): Issued {
  const untilMs = Math.min(nowMs + SERVER_DAYS * DAY_MS, endsMs);
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
