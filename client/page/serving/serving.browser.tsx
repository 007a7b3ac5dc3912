// The applications that are served, or one of them.

import type { JSX } from 'preact';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { ApplicationsAnswer, ToldApplication } from '../../../shared/api/servingAnswers.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { servingEn as words } from '../words/servingEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { ApplicationPage } from './applicationPage.browser.tsx';
import { applicationState } from './applicationState.ts';
import { Command, coordinatorUrl } from '../owner/command.browser.tsx';
import './serving.css';
import { shareWords } from '../words/shareWords.ts';
import { usePolled } from '../owner/usePolled.browser.ts';
import { addressOf, type ViewProps } from '../owner/view.ts';

/** "#/serving" and "#/serving/NAME". */
export function Serving(props: ViewProps): JSX.Element {
  return props.ids.length > 0 ? <ApplicationPage {...props} /> : <ApplicationList {...props} />;
}

function ApplicationList({ api }: ViewProps): JSX.Element {
  const { answer, problem } = usePolled<ApplicationsAnswer>(api, '/api/v1/applications');
  return (
    <Card title={words.title} id="serving-title">
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {answer &&
        (answer.applications.length === 0 ? (
          <None />
        ) : (
          <ApplicationTable applications={answer.applications} />
        ))}
    </Card>
  );
}

function None(): JSX.Element {
  return (
    <>
      <p class="note">{words.none}</p>
      <Command text={`npx tabgrad serve --checkpoint DIR --url ${coordinatorUrl()}`} label={words.none} />
      <p class="note hint">{words.fromScript}</p>
    </>
  );
}

function ApplicationTable({
  applications,
}: {
  readonly applications: readonly ToldApplication[];
}): JSX.Element {
  return (
    <Scroll>
      <table id="applications">
        <thead>
          <tr>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.status}</th>
            <th scope="col">{words.version}</th>
            {[words.replicas, words.perSecond, words.errors, words.quantiles, words.queue].map((title) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {applications.map((application) => (
            <ApplicationRow key={application.name} application={application} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function ApplicationRow({ application }: { readonly application: ToldApplication }): JSX.Element {
  const { name, routePrefix, report, recent } = application;
  const deployments = report?.deployments ?? [];
  const replicas = deployments.flatMap((deployment) => deployment.replicas);
  const running = replicas.filter(({ state }) => state === 'running').length;
  const target = deployments.reduce((sum, deployment) => sum + deployment.target, 0);
  const queued = deployments.reduce((sum, deployment) => sum + deployment.queued, 0);
  const { latency, requests, errors, seconds } = recent;
  return (
    <tr>
      <th scope="row">
        <a href={addressOf('serving', name)}>{visibleLine(name)}</a>
        <small class="block">{visibleLine(routePrefix)}</small>
      </th>
      <td>{applicationState(application)}</td>
      <td>{report?.version ?? ''}</td>
      <td class="number">{report && words.of(count(running), count(target))}</td>
      <td class="number">
        {numberWords(requests / seconds)}
        <small class="block">{words.lastMinutes(String(seconds / 60))}</small>
      </td>
      <td class="number">{requests === 0 ? '' : shareWords(errors / requests)}</td>
      <td class="number">
        {latency && [latency.p50Ms, latency.p95Ms, latency.p99Ms].map(numberWords).join(', ')}
        {latency && ' ms'}
      </td>
      <td class="number">{count(queued)}</td>
    </tr>
  );
}
