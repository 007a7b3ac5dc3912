// fetch for a server whose authority Node does not know: its own fetch takes no further ones.

import { request } from 'node:https';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';

export interface TrustingRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** It follows none. */
  readonly redirect?: 'manual';
}

/** Statuses whose answers have no body. */
const BODILESS = [204, 205, 304];

/** @param authorities certificates in PEM, trusted besides the usual ones. */
export function trustingFetch(authorities: string): (url: URL, init: TrustingRequest) => Promise<Response> {
  const ca = [...rootCertificates, authorities];
  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method, headers, signal, ca }, (answer) => {
        const status = answer.statusCode ?? 500;
        const fields = new Headers();
        for (const [name, value] of Object.entries(answer.headersDistinct))
          for (const one of value ?? []) fields.append(name, one);
        const isBodiless = method === 'HEAD' || BODILESS.includes(status);
        if (isBodiless) answer.resume();
        const stream = isBodiless ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
        resolve(new Response(stream, { status, headers: fields }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
}
