// What the dashboard asks the coordinator for, with the owner's token. The token stays in this tab's session storage: it
// is in no address and in no cookie.

const TOKEN_KEY = 'tabgrad.admin';

/** A worker as the API tells of it; times and sizes in milliseconds and bytes. */
export interface WorkerFacts {
  readonly workerId: string;
  readonly name?: string;
  readonly runtime: string;
  readonly device: { readonly kind: string; readonly name: string; readonly reason?: string };
  readonly cores: number;
  readonly present: boolean;
  readonly leaving?: string;
  readonly runId?: string;
  readonly programs: number;
  readonly roundTripMs?: number;
}

export interface RunFacts {
  readonly runId: string;
  readonly name: string;
  readonly status: string;
  readonly phase: string;
  readonly generation: number;
  readonly rounds: number;
  readonly totalRounds: number;
  readonly workers: readonly string[];
  readonly waiting?: string;
  readonly lastMetrics?: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string; readonly message: string };
}

interface ExperimentFacts {
  readonly experimentId: string;
  readonly name: string;
  readonly status: string;
  readonly metric?: string | null;
  readonly trials?: readonly unknown[];
}

export interface StatusFacts {
  readonly uptimeMs: number;
  readonly joinUrl: string;
  readonly runs: readonly RunFacts[];
  readonly applications: readonly {
    readonly name: string;
    readonly routePrefix?: string;
    readonly status?: string;
  }[];
  readonly experiments: readonly ExperimentFacts[];
  readonly traffic: Readonly<Record<string, { readonly sentBytes: number; readonly receivedBytes: number }>>;
}

/** One thing that happened in a run. */
export interface RunEventFacts {
  readonly type: string;
  readonly round?: number;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly timings?: readonly {
    readonly workerId: string;
    readonly computeMs: number;
    readonly exchangeMs: number;
    readonly bytesSent: number;
  }[];
  readonly reason?: string;
  readonly workerId?: string;
  readonly generation?: number;
  readonly workers?: readonly { readonly workerId: string; readonly rows: number }[];
  readonly rounds?: number;
  readonly status?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The coordinator said no, or can not be reached: its own words. */
export class ApiError extends Error {
  /** 0 where there was no answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Starts what a button asks for; what it fails with is shown. */
export type Act = (work: Promise<void>) => void;

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

  /** Calls back for each event of a run from its first, as long as the stream goes. @throws ApiError */
  async follow(runId: string, onEvent: (event: RunEventFacts) => void, signal: AbortSignal): Promise<void> {
    const { body } = await this.#ask(`/api/v1/runs/${encodeURIComponent(runId)}/events`, { signal });
    if (!body) return;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '));
        if (data !== undefined) onEvent(JSON.parse(data.slice('data: '.length)) as RunEventFacts);
      }
    }
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token ?? ''}` };
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
