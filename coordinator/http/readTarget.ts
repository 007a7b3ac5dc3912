// Which host and path a request is addressed to.

import type { IncomingMessage } from 'node:http';

/**
 * Through a proxy a target may be a whole address, whose host then stands in place of the header's (RFC 9112, section
 * 3.2.2).
 */
export function readTarget({ url = '/', headers: { host = '' } }: IncomingMessage): {
  host: string;
  target: string;
} {
  const absolute = url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute) return { host, target: url };
  const [, authority = '', rest = ''] = absolute;
  return { host: authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}
