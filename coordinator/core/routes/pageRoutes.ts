// The built pages. All files are listed once at the start, so a path can only name one of them.

import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { builtFile } from '../../files/builtFile.ts';
import type { AccessControl } from '../http/access.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Route } from '../http/route.ts';
import { PageFiles } from './pageFiles.ts';
import { NotFoundError } from '../../http/httpErrors.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

const common =
  "default-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";
/** Pages load and talk to this coordinator alone, and run nothing but its files. */
const pagePolicy = `${common}; script-src 'self'; worker-src 'self'; style-src 'self'`;
/**
 * Threads of a page have the policy of their own file. Owners' loops and programs come to them as text from this coordinator,
 * as the files themselves do: they may evaluate text and import blobs. They still reach no other host.
 */
const threadPolicy = `${common}; script-src 'self' 'unsafe-eval' blob:; worker-src 'self' blob:`;
/** Isolation gives pages exact clocks. */
const isolation: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** They have addresses without the ending. */
const pages: ReadonlySet<string> = new Set(['dashboard.html', 'join.html']);

/** Browsers ask for pages; programs, which get a line of text, do not. */
function wantsPage(accept = ''): boolean {
  return accept.includes('text/html');
}

/** Where the build puts the pages; undefined before the first build. */
export function builtPageFolder(): string | undefined {
  const page = builtFile('page/join.html');
  return page && dirname(page);
}

/**
 * @param access checks the token of those who show one.
 * @param statusText for owners. Others are told no more than what answers here.
 */
export function pageRoutes(
  folder: string | undefined,
  access: Pick<AccessControl, 'checkToken'>,
  statusText: () => string,
): Route[] {
  const pageFiles = new PageFiles();
  const status: Route = {
    method: 'GET',
    path: '/',
    access: 'public',
    traffic: 'page',
    handle: (exchange) => {
      const { request } = exchange;
      const isOwner = request.headers.authorization !== undefined;
      if (!isOwner && folder !== undefined && wantsPage(request.headers.accept)) {
        return sendFile(exchange, pageFiles, join(folder, 'dashboard.html'));
      }
      if (isOwner) access.checkToken(request, 'admin');
      return exchange.text(
        200,
        'text/plain; charset=utf-8',
        isOwner ? statusText() : 'tabgrad coordinator\n',
      );
    },
  };
  // The second is for codes that are scanned: with fewer characters they have fewer and larger dots.
  const joinRoutes = ['/join', '/j'].map((path): Route => ({
    method: 'GET',
    path,
    access: 'public',
    traffic: 'page',
    handle: (exchange) => {
      if (folder === undefined) throw new NotFoundError('The pages are not built yet: run "npm run build"');
      return sendFile(exchange, pageFiles, join(folder, 'join.html'));
    },
  }));
  if (folder === undefined) return [status, ...joinRoutes];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !pages.has(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const assets = files.map((file): Route => {
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    return {
      method: 'GET',
      path,
      access: 'public',
      traffic: 'page',
      handle: (exchange) => sendFile(exchange, pageFiles, file),
    };
  });
  return [status, ...joinRoutes, ...assets];
}

/** The service worker is a thread that runs nothing but itself. */
function isThread(file: string): boolean {
  return extname(file) !== '.html' && basename(file) !== 'serviceWorker.js';
}

async function sendFile(exchange: Exchange, files: PageFiles, file: string): Promise<void> {
  let found: Awaited<ReturnType<PageFiles['read']>>;
  try {
    found = await files.read(file, exchange.request.headers['accept-encoding']);
  } catch (error) {
    throw new NotFoundError(
      `The page file ${exchange.path} is gone; build the pages again`,
      {},
      { cause: error },
    );
  }
  // The bundler puts a content hash into the names under assets/.
  const cache = exchange.path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  const contentType = contentTypes[extname(file)] ?? 'application/octet-stream';
  const policy = isThread(file) ? threadPolicy : pagePolicy;
  const headers = {
    ...isolation,
    ...found.headers,
    'content-security-policy': policy,
    'content-type': contentType,
    'cache-control': cache,
  };
  exchange.answer(200, headers, found.bytes);
}
