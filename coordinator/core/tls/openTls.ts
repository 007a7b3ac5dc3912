// A server's certificate as its owner asks for it: from files, or from an authority made here.

import { networkInterfaces, hostname } from 'node:os';
import type { Log } from '../../log/log.ts';
import { openFileTls } from './fileTls.ts';
import { openLocalAuthority } from './localAuthority.ts';
import type { TlsSource } from './tlsSource.ts';

export type TlsSettings =
  /** PEM files, read again when they change. */
  | { readonly certFile: string; readonly keyFile: string }
  /** An authority made here and kept in the storage folder; `names` are further ones that the server goes by. */
  | { readonly selfMadeIn: string; readonly names?: readonly string[] };

/** @throws TlsFileError, TlsCertificateError */
export function openTls(
  settings: TlsSettings,
  host: string,
  publicUrl: string | undefined,
  log: Log,
): Promise<TlsSource> {
  const nowMs = (): number => Date.now();
  if ('certFile' in settings) {
    return openFileTls({ cert: settings.certFile, key: settings.keyFile }, nowMs);
  }
  return openLocalAuthority({
    folder: settings.selfMadeIn,
    wanted: [
      ...(isEverywhere(host) ? [] : [host]),
      ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1')]),
      ...(settings.names ?? []),
    ],
    present: () => ownNames(host),
    nowMs,
    log,
  });
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** What a server that listens on `host` can be called by, besides `host`. */
function ownNames(host: string): string[] {
  const loopback = ['localhost', '127.0.0.1', '::1'];
  if (!isEverywhere(host)) return loopback;
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    // Link-local addresses are of use only together with the name of an interface, which no certificate has.
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  const name = hostname().toLowerCase();
  const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name);
  return [...loopback, ...addresses, ...(isName ? [name, `${name.split('.', 1)[0]}.local`] : [])];
}
