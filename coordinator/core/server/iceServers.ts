// STUN and TURN servers that workers use to reach one another across networks, and credentials for TURN that expire.

import { createHmac } from 'node:crypto';
import { TabgradError } from '../../../kernels/errors.ts';
import type { CoordinatorMessageOf } from '../../../shared/protocol/control.ts';

export type IceServer = CoordinatorMessageOf<'welcome'>['iceServers'][number];

export interface IceSettings {
  /** stun:HOST[:PORT], turn:HOST[:PORT] or turns:HOST[:PORT], with ?transport=udp|tcp where wanted. */
  readonly urls: readonly string[];
  /**
   * Secret shared with the TURN server (coturn's static-auth-secret): each worker gets a user name that expires and a
   * password derived from it, after draft-uberti-behave-turn-rest. Needed when there are turn URLs.
   */
  readonly turnSecret?: string | undefined;
  /** How long credentials are good for; workers that stay get new ones when half of it is over. Default a day. */
  readonly turnLifetimeS?: number | undefined;
}

/** How long TURN credentials are good for, where nothing else is said. */
const TURN_LIFETIME_S = 24 * 60 * 60;
const ICE_URL = /^(stun|stuns|turn|turns):(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?$/i;

/** A STUN or TURN setting makes no sense. */
class IceSettingError extends TabgradError {
  readonly code = 'ICE_SETTING_INVALID';
}

/** How often workers need the list anew; undefined when nothing in it expires. */
export function iceRenewalMs({
  turnSecret,
  turnLifetimeS = TURN_LIFETIME_S,
}: IceSettings): number | undefined {
  return turnSecret === undefined ? undefined : (turnLifetimeS * 1000) / 2;
}

/**
 * @returns makes the list for one worker, at a time in seconds since 1970.
 * @throws IceSettingError naming the URL.
 */
export function iceServersFor(settings: IceSettings): (workerId: string, nowS: number) => IceServer[] {
  for (const url of settings.urls) {
    if (ICE_URL.test(url)) continue;
    throw new IceSettingError(
      `"${url}" is not the address of a STUN or TURN server; expected e.g. stun:stun.example.org:3478 or turn:turn.example.org.`,
      { field: 'ice' },
    );
  }
  const stun = settings.urls.filter((url) => /^stuns?:/i.test(url));
  const turn = settings.urls.filter((url) => /^turns?:/i.test(url));
  const { turnSecret, turnLifetimeS = TURN_LIFETIME_S } = settings;
  if (turn.length > 0 && !turnSecret) {
    throw new IceSettingError(`${turn[0]} needs the secret that is shared with the TURN server.`, {
      field: 'turnSecret',
    });
  }
  return (workerId, nowS) => {
    const servers: IceServer[] = stun.length > 0 ? [{ urls: stun }] : [];
    if (turn.length > 0 && turnSecret) {
      const username = `${Math.floor(nowS) + turnLifetimeS}:${workerId}`;
      const credential = createHmac('sha1', turnSecret).update(username).digest('base64');
      servers.push({ urls: turn, username, credential });
    }
    return servers;
  };
}
