// The volunteer's page: who asks and for what, one button, and then what this tab does and did.

import type { JSX } from 'preact';
import { Facts, Progress, type Fact } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { bytes, count, fraction, percent, statusWords } from '../words/statusWords.ts';
import { CacheCard, ContributionCard, InviteCard, ResultCard } from './cards.browser.tsx';
import { CurveCard } from './curveCard.browser.tsx';
import type { SessionStatus } from '../../memberRun/sessionEnvironment.ts';
import type { DeviceOffer } from './deviceOffer.browser.ts';
import type { Lending, LendingView } from './lending.browser.ts';
import { HeldRowsCard } from './heldRowsCard.browser.tsx';
import { LimitsCard } from './limitsCard.browser.tsx';
import { PeersCard } from './peersCard.browser.tsx';
import type { Project } from './project.browser.ts';

export interface JoinPageProps {
  readonly project: Project;
  readonly offer: DeviceOffer;
  readonly view: LendingView;
  readonly lending: Lending;
  /** What opens this page for others, with the token. */
  readonly joinLink: string;
  /** Nothing was heard of the coordinator when the page was loaded. */
  readonly isOffline: boolean;
  readonly hasToken: boolean;
}

/** The whole page. */
export function JoinPage(props: JoinPageProps): JSX.Element {
  const { view } = props;
  const hasLent = view.status !== undefined;
  return (
    <main>
      <ProjectHead project={props.project} />
      <StateCard {...props} />
      <ResultCard view={view} />
      {hasLent && <CurveCard view={view} />}
      {hasLent && <ContributionCard view={view} />}
      {hasLent && <PeersCard view={view} />}
      {hasLent && <HeldRowsCard lending={props.lending} />}
      {!hasLent && <LentCard offer={props.offer} />}
      <LimitsCard {...props} />
      {hasLent && <LentCard offer={props.offer} />}
      <InviteCard link={props.joinLink} />
      {(hasLent || view.ever.runs > 0) && <CacheCard />}
    </main>
  );
}

function ProjectHead({ project }: { readonly project: Project }): JSX.Element {
  const { title, description, picture, contact, link } = project;
  return (
    <header class="head">
      {picture !== undefined && <img class="picture" src={picture} alt="" width={96} height={96} />}
      <div>
        <p class="brand">{en.productName}</p>
        <h1>{title ?? en.defaultTitle}</h1>
        <p class="lead">{description ?? en.defaultDescription}</p>
        {(contact !== undefined || link !== undefined) && (
          <p class="byline">
            {contact !== undefined && (
              <span>
                {en.askedBy} {contact}
              </span>
            )}
            {link !== undefined && (
              <a href={link} rel="noopener noreferrer" target="_blank">
                {en.moreAbout}
              </a>
            )}
          </p>
        )}
      </div>
    </header>
  );
}

type Words = Pick<JoinPageProps, 'view' | 'isOffline' | 'hasToken'>;
type Training = Extract<SessionStatus, { state: 'training' }>;

interface StateWords {
  /** What colours the dot. */
  readonly tone: 'quiet' | 'good' | 'wait' | 'bad';
  readonly title: string;
  readonly note: string;
  readonly progress?: { readonly fraction: number; readonly words: string } | undefined;
}

/** What the page says of itself, in its words. */
export function stateWords({ view, isOffline, hasToken }: Words): StateWords {
  const { phase, status, end, holds } = view;
  switch (phase) {
    case 'offered':
      if (isOffline) return { tone: 'wait', ...en.states.offline };
      return { tone: 'quiet', ...(hasToken ? en.states.offered : en.states.noToken) };
    case 'offline':
      return { tone: 'wait', ...en.states.offline };
    case 'elsewhere':
      return { tone: 'wait', ...en.states.elsewhere };
    case 'loading':
      return { tone: 'wait', ...en.states.starting };
    case 'failed':
      return { tone: 'bad', ...en.states.failed };
    case 'ended':
      if (end?.kind === 'refused') return { tone: 'bad', ...refusedWords(end.code) };
      if (end?.kind === 'sentAway')
        return { tone: 'quiet', title: en.states.sentAway.title, note: en.states.sentAway.note(end.reason) };
      return { tone: 'quiet', ...en.states.left };
    case 'lending':
      break;
  }
  if (!status) return { tone: 'wait', ...en.states.starting };
  const [hold] = holds;
  if (hold !== undefined && !view.isPaused && status.phase === 'paused') {
    return { tone: 'wait', title: en.states.held, note: en.holds[hold] };
  }
  const isWell = status.phase === 'working' || status.phase === 'waiting';
  return { tone: isWell ? 'good' : 'wait', ...statusWords(status) };
}

function refusedWords(code = ''): Pick<StateWords, 'title' | 'note'> {
  const { title, note, advice } = en.states.refused;
  return { title, note: Object.hasOwn(advice, code) ? advice[code as keyof typeof advice] : note };
}

function StateCard(props: JoinPageProps): JSX.Element {
  const { view, lending, offer, isOffline } = props;
  const words = stateWords(props);
  return (
    <section class="card state" data-tone={words.tone} data-phase={view.phase} aria-labelledby="state">
      <div class="state-row">
        <span class="dot" aria-hidden="true" />
        <div class="state-words">
          <div role="status" aria-live="polite">
            <h2 id="state">{words.title}</h2>
          </div>
          <p id="note" class="note">
            {words.note}
          </p>
        </div>
      </div>
      {words.progress && <Progress {...words.progress} />}
      {!(isOffline && view.phase === 'offered') && <Buttons view={view} lending={lending} />}
      {view.problem !== undefined && (
        <p id="problem" class="problem" role="alert">
          {view.problem}
        </p>
      )}
      {view.phase === 'lending' && <LiveFacts view={view} offer={offer} />}
    </section>
  );
}

function Buttons({ view, lending }: Pick<JoinPageProps, 'view' | 'lending'>): JSX.Element {
  const { phase, isPaused, status } = view;
  if (phase === 'elsewhere') {
    return (
      <div class="controls">
        <button id="stop-waiting" type="button" onClick={() => lending.stopWaiting()}>
          {en.buttons.stopWaiting}
        </button>
      </div>
    );
  }
  if (phase === 'offered' || phase === 'ended' || phase === 'failed') {
    const label = phase === 'offered' ? en.buttons.start : en.buttons.again;
    return (
      <div class="controls">
        <button id="join" class="primary" type="button" onClick={() => void lending.start()}>
          {label}
        </button>
      </div>
    );
  }
  if (phase === 'loading' || phase === 'offline' || status?.phase === 'leaving')
    return <div class="controls" />;
  return (
    <div class="controls">
      {isPaused ? (
        <button id="resume" class="primary" type="button" onClick={() => lending.resume()}>
          {en.buttons.resume}
        </button>
      ) : (
        <button id="pause" type="button" onClick={() => lending.pause()}>
          {en.buttons.pause}
        </button>
      )}
      <button id="leave" type="button" onClick={() => lending.leave()}>
        {en.buttons.leave}
      </button>
    </div>
  );
}

function LiveFacts({ view, offer }: Pick<JoinPageProps, 'view' | 'offer'>): JSX.Element | null {
  const { status } = view;
  if (!status) return null;
  const { device, deviceNote, workerId, session, usedShare } = status;
  const { contribution: words } = en;
  return (
    <Facts
      facts={[
        ...(session.state === 'training'
          ? [
              { term: words.speed, value: words.rowsPerSecond(count(session.rowsPerSecond)) },
              { term: words.group, value: words.workers(session.groupSize) },
              ...partFacts(session),
            ]
          : []),
        ...(usedShare === undefined ? [] : [{ term: words.share, value: percent(usedShare) }]),
        ...(view.memoryBytes === undefined
          ? []
          : [{ term: en.limits.memory, value: bytes(view.memoryBytes) }]),
        ...(workerId === undefined ? [] : [{ term: words.name, value: workerId }]),
        ...(device === undefined
          ? []
          : [
              {
                term: words.device,
                value: device.name,
                remark: deviceNote ?? offer.advice ?? device.reason,
              },
            ]),
      ]}
    />
  );
}

/** This tab's part of the group's work. */
function partFacts({ share, groupSize }: Training): Fact[] {
  const { part, ofRows, allRows } = en.contribution;
  if (share === undefined || groupSize === 1) return [];
  return [{ term: part, value: share === 1 ? allRows : ofRows(fraction(share)) }];
}

function LentCard({ offer }: { readonly offer: DeviceOffer }): JSX.Element {
  const { safety } = en;
  const items = [safety.lent(offer.words), safety.received, safety.sent, safety.code, safety.own, safety.end];
  return (
    <section class="card" aria-labelledby="lent-title">
      <h2 id="lent-title">{safety.title}</h2>
      <ul class="lent">
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </section>
  );
}
