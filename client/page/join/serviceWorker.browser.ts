// Answers for the volunteer's page while its coordinator can't be reached: with the page as it was last, which says so and comes
// back by itself. Nothing else is kept: pages and their files come from the coordinator whenever it is there, data and
// the project always; the token is in the fragment, and what is kept has no address with one.

const CACHE = 'tabgrad-page';
/** Where each service worker is told of: its own name is taken by the page's thread in the types. */
const scope = globalThis as unknown as ServiceWorkerScope;
const base = new URL('./', location.href).href;
const shell = `${base}join`;
/** The page has a second, shorter address. */
const pages: ReadonlySet<string> = new Set([shell, `${base}j`]);

/** The part of ServiceWorkerGlobalScope that is used. */
interface ServiceWorkerScope {
  addEventListener(type: 'install' | 'activate', listen: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listen: (event: RequestEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

interface LifeEvent {
  waitUntil(work: Promise<unknown>): void;
}

interface RequestEvent extends LifeEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** Keeps the page with the files that its first look takes, in place of what was kept before. */
async function keepShell(page: Response): Promise<void> {
  const text = await page.clone().text();
  const files = [...text.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, path = '']) => base + path);
  const cache = await caches.open(CACHE);
  const known = await cache.match(shell);
  if (known && (await known.text()) === text) return;
  await cache.addAll(files);
  await cache.put(shell, page);
  const wanted = new Set([shell, ...files]);
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
}

async function kept(url: string): Promise<Response> {
  return (await (await caches.open(CACHE)).match(url)) ?? Response.error();
}

async function page(event: RequestEvent): Promise<Response> {
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keepShell(response.clone()).catch(() => undefined));
    return response;
  } catch {
    return kept(shell);
  }
}

scope.addEventListener('install', (event) => {
  event.waitUntil(fetch(shell, { cache: 'no-cache' }).then(keepShell));
  void scope.skipWaiting();
});
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const url = origin + pathname;
  if (request.mode === 'navigate' && pages.has(url)) event.respondWith(page(event));
  else if (url.startsWith(`${base}assets/`)) event.respondWith(fetch(request).catch(() => kept(url)));
});
