// What the dashboard asks the coordinator for, with the owner's token. The token stays in this tab's session storage: it
// is in no address and in no cookie.

import type { StreamedEvent } from '../../../shared/api/runAnswers.ts';

const TOKEN_KEY = 'tabgrad.admin';

/** The coordinator said no, or can not be reached: its own words. */
export class ApiError extends Error {
  /** 0 where there was no answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** An event as it is followed; passing ones have no number. */
export interface FollowedEvent {
  readonly sequence: number | undefined;
  readonly event: StreamedEvent;
}

/** Starts what a button asks for; what it fails with is shown. */
export type Act = (work: Promise<void>) => void;

/** The place of a run in the API. */
export function runPath(runId: string, rest = ''): string {
  return `/api/v1/runs/${encodeURIComponent(runId)}${rest}`;
}

/** Every call rejects with an error in words for people. */
export class Api {
  #token = sessionStorage.getItem(TOKEN_KEY);

  get isSignedIn(): boolean {
    return this.#token !== null;
  }

  /** @throws ApiError when the token is not the owner's; nothing is kept then. */
  async signIn(token: string): Promise<void> {
    this.#token = token;
    try {
      await this.get('/api/v1/workers');
      sessionStorage.setItem(TOKEN_KEY, token);
    } catch (error) {
      this.signOut();
      throw error;
    }
  }

  signOut(): void {
    this.#token = null;
    sessionStorage.removeItem(TOKEN_KEY);
  }

  /** @throws ApiError */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.#ask(path, { ...(signal && { signal }) })).json() as Promise<T>;
  }

  /** @throws ApiError */
  async post(path: string, body: object): Promise<void> {
    await this.#ask(path, { method: 'POST', body: JSON.stringify(body) });
  }

  /** A request with an answer. @throws ApiError */
  async ask<T>(path: string, body: object): Promise<T> {
    const init = { method: 'POST', body: JSON.stringify(body) };
    return (await this.#ask(path, init)).json() as Promise<T>;
  }

  /** @throws ApiError */
  async download(path: string, signal?: AbortSignal): Promise<Blob> {
    return (await this.#ask(path, { ...(signal && { signal }) })).blob();
  }

  /** @throws ApiError; where the stream breaks off what the browser says. */
  async follow(
    runId: string,
    after: number,
    onEvent: (followed: FollowedEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const headers = { 'last-event-id': String(after) };
    const { body } = await this.#ask(`/api/v1/runs/${encodeURIComponent(runId)}/events`, { signal, headers });
    if (!body) return;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const lines = block.split('\n');
        const field = (name: string): string | undefined =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data === undefined) continue;
        const id = field('id');
        onEvent({
          sequence: id === undefined ? undefined : Number(id),
          event: JSON.parse(data) as StreamedEvent,
        });
      }
    }
  }

  async #ask(
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Readonly<Record<string, string>> },
  ): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token ?? ''}` };
    let answer: Response;
    try {
      answer = await fetch(new URL(`.${path}`, document.baseURI), { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted === true) throw error;
      throw new ApiError('The coordinator can not be reached.', 0);
    }
    if (answer.ok) return answer;
    const told = (await answer.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
    throw new ApiError(told?.error?.message ?? `The coordinator answered ${answer.status}.`, answer.status);
  }
}
