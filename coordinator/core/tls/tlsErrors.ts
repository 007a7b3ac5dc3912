// Failures around certificates: the server's own ones, and those of a server that is asked.

import { TabgradError } from '../../../kernels/errors.ts';

/** A file of a certificate or key can't be read or written. */
export class TlsFileError extends TabgradError {
  readonly code = 'TLS_FILE';
}

/** A certificate is damaged, out of date or of another key. */
export class TlsCertificateError extends TabgradError {
  readonly code = 'TLS_CERTIFICATE';
}

/** Nothing that was trusted vouches for the server's certificate. */
export class ServerUntrustedError extends TabgradError {
  readonly code = 'SERVER_UNTRUSTED';
}
