// The entry of the owner's dashboard: sign-in, then views by the address's fragment ("#/", "#/runs/ID", "#/swarm").

import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { Api, ApiError, type Act, type StatusFacts, type WorkerFacts } from './api.browser.ts';
import { Overview } from './overview.browser.tsx';
import { RunPage } from './runPage.browser.tsx';
import { Swarm } from './swarm.browser.tsx';

const LOOK_EVERY_MS = 2_000;
const UNAUTHORIZED = 401;

const api = new Api();

interface Look {
  readonly status: StatusFacts;
  readonly workers: readonly WorkerFacts[];
}

/** The dashboard, or the question for the token. */
function Dashboard(): JSX.Element {
  const [isSignedIn, setSignedIn] = useState(api.isSignedIn);
  if (!isSignedIn) return <SignIn onDone={() => setSignedIn(true)} />;
  const signOut = (): void => {
    api.signOut();
    setSignedIn(false);
  };
  return <Views onSignOut={signOut} />;
}

function Views({ onSignOut }: { readonly onSignOut: () => void }): JSX.Element {
  const place = usePlace();
  const [look, setLook] = useState<Look>();
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<string>();
  const act: Act = (work) => {
    setRefusal(undefined);
    work.catch((error: unknown) => setRefusal(messageOf(error)));
  };
  useEffect(() => {
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async (): Promise<void> => {
      try {
        const [status, { workers }] = await Promise.all([
          api.get<StatusFacts>('/api/v1/status', over.signal),
          api.get<{ workers: WorkerFacts[] }>('/api/v1/workers', over.signal),
        ]);
        setLook({ status, workers });
        setProblem(undefined);
      } catch (error) {
        if (over.signal.aborted) return;
        if (error instanceof ApiError && error.status === UNAUTHORIZED) return onSignOut();
        setProblem(messageOf(error));
      }
      if (!over.signal.aborted) timer = setTimeout(() => void again(), LOOK_EVERY_MS);
    };
    void again();
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, []);
  const { views, signIn } = dashboardEn;
  const runId = /^#\/runs\/(.+)$/.exec(place)?.[1];
  const isSwarm = place === '#/swarm';
  return (
    <>
      <header class="bar">
        <a class="brand" href="#/">
          {dashboardEn.title}
        </a>
        <nav>
          <a href="#/" aria-current={!isSwarm && runId === undefined ? 'page' : undefined}>
            {views.overview}
          </a>
          <a href="#/swarm" aria-current={isSwarm ? 'page' : undefined}>
            {views.swarm}
          </a>
        </nav>
        <button type="button" class="small" onClick={onSignOut}>
          {signIn.out}
        </button>
      </header>
      <main>
        {problem !== undefined && (
          <p class="problem" role="status">
            {dashboardEn.lost(problem)}
          </p>
        )}
        {refusal !== undefined && (
          <p class="problem" role="alert">
            {refusal}
          </p>
        )}
        {runId === undefined ? (
          look && <View isSwarm={isSwarm} look={look} act={act} />
        ) : (
          <RunPage
            key={runId}
            api={api}
            act={act}
            runId={decodeURIComponent(runId)}
            summary={look?.status.runs.find((run) => run.runId === decodeURIComponent(runId))}
          />
        )}
      </main>
    </>
  );
}

interface ViewProps {
  readonly isSwarm: boolean;
  readonly look: Look;
  readonly act: Act;
}

function View({ isSwarm, look, act }: ViewProps): JSX.Element {
  const { status, workers } = look;
  return isSwarm ? (
    <Swarm api={api} act={act} workers={workers} runs={status.runs} />
  ) : (
    <Overview status={status} workers={workers} />
  );
}

/** The address's fragment, as it changes. */
function usePlace(): string {
  const [place, setPlace] = useState(location.hash);
  useEffect(() => {
    const onChange = (): void => setPlace(location.hash);
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return place;
}

function SignIn({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const { signIn } = dashboardEn;
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token !== 'string' || token === '') return;
    api.signIn(token.trim()).then(onDone, (error: unknown) => setProblem(messageOf(error)));
  };
  return (
    <main>
      <form class="card sign-in" onSubmit={submit}>
        <h1>{signIn.title}</h1>
        <p class="note">{signIn.note}</p>
        <label>
          <span>{signIn.token}</span>
          <input id="token" name="token" type="password" autocomplete="off" required />
        </label>
        <button id="sign-in" class="primary" type="submit">
          {signIn.button}
        </button>
        {problem !== undefined && (
          <p id="problem" class="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </main>
  );
}

const root = document.getElementById('page');
if (root) render(<Dashboard />, root);
