// Where a server's certificate comes from, and how a running server gets the next one.

import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { TlsCredentials } from './tlsCredentials.ts';

/** A local authority as those get to know it who shall trust it. */
export interface AuthorityCertificate {
  readonly pem: string;
  readonly der: Buffer;
  /** "sha256:…" */
  readonly fingerprint: string;
}

export interface TlsSource {
  readonly credentials: TlsCredentials;
  /** Names and addresses that the certificate is for; a leading "*." stands for one label. */
  readonly names: readonly string[];
  /** There when the certificate is self-made. */
  readonly authority: AuthorityCertificate | undefined;
  /** Looks whether there is, or has to be, a newer certificate. @returns whether `credentials` changed. */
  renew(): Promise<boolean>;
}

export interface TlsRenewal {
  /** Undefined for a server without TLS: there is nothing to renew. */
  readonly source: TlsSource | undefined;
  readonly server: { setCredentials(credentials: TlsCredentials): void };
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * How often is looked. Those who write certificate files replace links and folders in their own ways, which no file
 * watcher sees reliably; certificates are replaced weeks before they expire.
 */
const RENEWAL_INTERVAL_MS = 60_000;

/** Lets a running server show newer certificates to new connections; returns the function that ends that. */
export function keepRenewed({ source, server, clock, log }: TlsRenewal): () => void {
  if (!source) return () => undefined;
  let cancel = (): void => undefined;
  let isOver = false;
  let complaint = '';
  const look = async (): Promise<void> => {
    try {
      if (await source.renew()) {
        server.setCredentials(source.credentials);
        log({ level: 'info', message: 'The certificate was renewed' });
      }
      complaint = '';
    } catch (error) {
      // The one in use goes on. Said once, not every minute.
      const message = `The certificate stays as it is: ${messageOf(error)}`;
      if (message !== complaint) log({ level: 'warn', message });
      complaint = message;
    }
    if (!isOver) schedule();
  };
  const schedule = (): void => {
    cancel = clock.after(RENEWAL_INTERVAL_MS, () => void look());
  };
  schedule();
  return () => {
    isOver = true;
    cancel();
  };
}
