// One served application: how it goes, its replicas, and a form to try it.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { ApplicationAnswer, ExampleAnswer } from '../../../shared/api/servingAnswers.ts';
import { Card, Facts } from '../design/parts.browser.tsx';
import { servingEn as words } from '../words/servingEn.ts';
import { duration, numberWords } from '../words/statusWords.ts';
import { applicationState } from './applicationState.ts';
import { Command, coordinatorUrl } from '../owner/command.browser.tsx';
import { DeploymentCard } from './deploymentCard.browser.tsx';
import { servingSeries } from './servingSeries.ts';
import { Sparkline } from './sparkline.browser.tsx';
import { TryForm, type TryFormProps } from './tryForm.browser.tsx';
import { usePolled } from '../owner/usePolled.browser.ts';
import type { ViewProps } from '../owner/view.ts';

const windows = [5, 15, 60] as const;

export function ApplicationPage({ api, ids: [name = ''] }: ViewProps): JSX.Element {
  const { answer, problem } = usePolled<ApplicationAnswer>(
    api,
    `/api/v1/applications/${encodeURIComponent(name)}`,
  );
  return (
    <>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {answer && <Head application={answer} />}
      {answer?.report && <Charts application={answer} />}
      {answer?.report?.deployments.map((deployment) => (
        <DeploymentCard key={deployment.name} deployment={deployment} />
      ))}
      {answer?.report && (
        <Try
          key={`${answer.report.serverId}/${answer.report.version}`}
          api={api}
          name={name}
          report={answer.report}
        />
      )}
    </>
  );
}

/** The form, when it is known whether there is a row to fill it with. */
function Try(props: Omit<TryFormProps, 'example'>): JSX.Element | null {
  const { api, name } = props;
  const [known, setKnown] = useState<ExampleAnswer>();
  useEffect(() => {
    const over = new AbortController();
    api
      .get<ExampleAnswer>(`/api/v1/applications/${encodeURIComponent(name)}/example`, over.signal)
      .then(setKnown, () => setKnown({}));
    return () => over.abort();
  }, [api, name]);
  return known ? <TryForm {...props} example={known.example} /> : null;
}

function Head({ application }: { readonly application: ApplicationAnswer }): JSX.Element {
  const { name, routePrefix, report, heardAtMs, message } = application;
  return (
    <section class="card" aria-labelledby="application-title">
      <h2 id="application-title">{visibleLine(name)}</h2>
      <p class="note">
        {applicationState(application)}
        {message !== '' && `: ${visibleLine(message)}`}
      </p>
      {report ? (
        <Facts
          facts={[
            { term: words.version, value: report.version },
            ...(heardAtMs === undefined
              ? []
              : [{ term: words.heard, value: words.ago(duration(Date.now() - heardAtMs)) }]),
            {
              term: words.address,
              value: new URL(routePrefix, report.url).href,
              remark: report.model && visibleLine(report.model.summary),
            },
          ]}
        />
      ) : (
        <>
          <p class="note">{words.recordedOnly}</p>
          <Command text={`npx tabgrad serve --storage DIR --url ${coordinatorUrl()}`} label={words.none} />
        </>
      )}
    </section>
  );
}

function Charts({ application }: { readonly application: ApplicationAnswer }): JSX.Element {
  const [minutes, setMinutes] = useState<number>(windows[0]);
  const { points, pointSeconds } = application;
  const series = servingSeries(points, pointSeconds, minutes, Date.now());
  const rate = (value: number): string => `${numberWords(value)} /s`;
  const ms = (value: number): string => `${numberWords(value)} ms`;
  return (
    <Card title={words.requests} id="requests-title">
      <label class="window">
        {words.window}{' '}
        <select
          id="window"
          value={minutes}
          onChange={({ currentTarget }) => setMinutes(Number(currentTarget.value))}
        >
          {windows.map((choice) => (
            <option key={choice} value={choice}>
              {words.minutes(choice)}
            </option>
          ))}
        </select>
      </label>
      <div class="sparks">
        <Sparkline title={words.requests} lines={[{ values: series.requestsPerSecond }]} words={rate} />
        <Sparkline
          title={words.latency}
          lines={[
            { name: 'p50', values: series.p50Ms },
            { name: 'p95', values: series.p95Ms },
            { name: 'p99', values: series.p99Ms },
          ]}
          words={ms}
        />
        <Sparkline title={words.errors} lines={[{ values: series.errorsPerSecond }]} words={rate} />
        <Sparkline title={words.queue} lines={[{ values: series.queued }]} words={numberWords} />
      </div>
      {application.report?.model && <p class="note">{words.small}</p>}
    </Card>
  );
}
