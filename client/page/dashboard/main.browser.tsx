// The entry of the owner's dashboard: sign-in, then the view that the address's fragment names.

import { render, type JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { StatusAnswer } from '../../../shared/api/statusAnswer.ts';
import type { WorkerSummary } from '../../../shared/api/workerAnswers.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { Api, ApiError, type Act } from '../owner/api.browser.ts';
import { Rates } from '../owner/rates.ts';
import { addressOf, placeOf, type Look } from '../owner/view.ts';
import { views } from './views.browser.ts';

const LOOK_EVERY_MS = 2_000;
const UNAUTHORIZED = 401;

const api = new Api();

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
  const rates = useRef(new Rates());
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
          api.get<StatusAnswer>('/api/v1/status', over.signal),
          api.get<{ workers: WorkerSummary[] }>('/api/v1/workers', over.signal),
        ]);
        rates.current.add(status, performance.now());
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
  const { view, ids } = placeOf(place);
  const shown = views.find(({ name }) => name === view) ?? views[0];
  useEffect(() => {
    document.title = `${shown.title} · ${dashboardEn.title}`;
  }, [shown]);
  return (
    <>
      <header class="bar">
        <a class="brand" href="#/">
          {dashboardEn.title}
        </a>
        <nav>
          {views.map(({ name, title }) => (
            <a key={name} href={addressOf(name)} aria-current={name === shown.name ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <button type="button" class="small" onClick={onSignOut}>
          {dashboardEn.signIn.out}
        </button>
      </header>
      <main>
        <h1 class="unseen">{shown.title}</h1>
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
        {look && <shown.View key={place} api={api} act={act} look={look} rates={rates.current} ids={ids} />}
      </main>
    </>
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
