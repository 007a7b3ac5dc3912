// Passes a request of the owner on to an application, at the address that its server was heard from and at no other.

import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestTls, type RequestOptions as TlsOptions } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, rootCertificates } from 'node:tls';
import { DeadlineError, TabgradError } from '../../../kernels/errors.ts';
import type { TryAnswer } from '../../../shared/api/servingAnswers.ts';
import type { HeardReport } from '../store/heardReport.ts';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The server of an application does not answer the coordinator, or answers more than is passed on. */
class ApplicationUnreachableError extends TabgradError {
  readonly code = 'APPLICATION_UNREACHABLE';
}

export interface TriedRequest {
  readonly body: string;
  readonly key?: string;
  readonly signal: AbortSignal;
  /** Of all of it; tests shorten it. */
  readonly timeoutMs?: number;
}

/**
 * Posts JSON to the application's route. Redirects are answers, and not followed.
 * @throws ApplicationUnreachableError, DeadlineError
 */
export async function tryApplication(
  { report, address }: Pick<HeardReport, 'report' | 'address'>,
  { body, key, signal, timeoutMs = TIMEOUT_MS }: TriedRequest,
): Promise<TryAnswer> {
  const { port, tls, routePrefix, url } = report;
  const { host, hostname } = new URL(url);
  const deadline = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    host: address,
    port,
    path: routePrefix,
    method: 'POST',
    agent: false,
    signal: AbortSignal.any([signal, deadline]),
    headers: {
      // The name that callers use: the server refuses others.
      host,
      'content-type': 'application/json',
      accept: 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
  };
  const authorities = tls?.authority === undefined ? {} : { ca: [...rootCertificates, tls.authority] };
  const startedAtMs = performance.now();
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = tls
        ? requestTls({ ...options, ...authorities, ...identityOf(hostname) }, resolve)
        : requestPlain(options, resolve);
      sent.on('error', reject);
      // Another protocol is not gone over to: without a listener the answer would be dropped in silence.
      sent.on('upgrade', (other, socket) => {
        socket.destroy();
        reject(
          new ApplicationUnreachableError(
            `The application answered ${other.statusCode ?? 101}, and no HTTP after it.`,
          ),
        );
      });
      sent.on('close', () => reject(new Error('it closed the connection without an answer')));
      sent.end(body);
    });
    const text = await readAnswer(answer);
    return {
      status: answer.statusCode ?? 0,
      durationMs: performance.now() - startedAtMs,
      contentType: (answer.headers['content-type'] ?? '').slice(0, 200),
      body: text,
    };
  } catch (cause) {
    if (cause instanceof TabgradError) throw cause;
    if (deadline.aborted) {
      throw new DeadlineError(`The application did not answer within ${timeoutMs / 1_000} s.`, {}, { cause });
    }
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ApplicationUnreachableError(
      `The coordinator does not reach the server of the application at port ${port} of ${address} (${code ?? message}). ` +
        'One that listens on 127.0.0.1 is reached from its own machine alone: copy the curl command and ask it there.',
      {},
      { cause },
    );
  }
}

/** Its certificate is for the name that callers use, and not for the address that it was heard from. */
function identityOf(url: URL['hostname']): Pick<TlsOptions, 'checkServerIdentity' | 'servername'> {
  const name = url.replace(/^\[|\]$/g, '');
  return {
    servername: isIP(name) ? '' : name,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  };
}

/** @throws ApplicationUnreachableError where there is too much of it. */
async function readAnswer(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    sizeBytes += piece.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) {
      answer.destroy();
      throw new ApplicationUnreachableError(
        `The application answered more than ${MAX_ANSWER_BYTES} bytes, which is all that is passed on: ask it itself, by the curl command.`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
