// One deployment of an application: its replicas, where they run, and how far an update has come.

import type { JSX } from 'preact';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { ToldDeployment, ToldReplica } from '../../../shared/api/servingAnswers.ts';
import { Card, Facts, Scroll } from '../design/parts.browser.tsx';
import { servingEn as words } from '../words/servingEn.ts';
import { count } from '../words/statusWords.ts';
import { shareWords } from '../words/shareWords.ts';
import { versionShares } from './versionShares.ts';
import { addressOf } from '../owner/view.ts';

export function DeploymentCard({ deployment }: { readonly deployment: ToldDeployment }): JSX.Element {
  const { name, version, status, target, ongoing, queued, restarts, retries, overloads, timeouts } =
    deployment;
  const { message, replicas } = deployment;
  const running = replicas.filter(({ state }) => state === 'running').length;
  return (
    <Card title={words.deployment(visibleLine(name))} id={`deployment-${name}`}>
      <Versions deployment={deployment} />
      <Facts
        facts={[
          { term: words.status, value: words.deploymentStates[status] },
          ...(version === undefined ? [] : [{ term: words.version, value: version }]),
          { term: words.replicas, value: words.of(count(running), count(target)) },
          { term: words.inHand, value: count(ongoing) },
          { term: words.queue, value: count(queued) },
          { term: words.restarts, value: count(restarts) },
          { term: words.retries, value: count(retries) },
          { term: words.refused, value: count(overloads) },
          { term: words.timeouts, value: count(timeouts) },
        ]}
      />
      {message !== '' && <p class="problem">{visibleLine(message)}</p>}
      <Scroll>
        <table class="replicas">
          <thead>
            <tr>
              <th scope="col">{words.replica}</th>
              <th scope="col">{words.version}</th>
              <th scope="col">{words.state}</th>
              <th scope="col">{words.where}</th>
              <th scope="col" class="number">
                {words.inHand}
              </th>
              <th scope="col" class="number">
                {words.answered}
              </th>
            </tr>
          </thead>
          <tbody>
            {replicas.map((replica) => (
              <ReplicaRow key={replica.id} replica={replica} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

/** While replicas of two versions are there: how much each has. */
function Versions({ deployment }: { readonly deployment: ToldDeployment }): JSX.Element | null {
  const shares = versionShares(deployment.replicas);
  if (shares.length < 2) return null;
  const [from, to] = [
    shares.find(({ isCurrent }) => !isCurrent)?.version,
    shares.find(({ isCurrent }) => isCurrent)?.version,
  ];
  const isNamed = from !== undefined && to !== undefined;
  return (
    <div class="update">
      <p class="note">{isNamed ? words.updating(from, to) : words.updatingUnnamed}</p>
      <div class="versions" aria-hidden="true">
        {shares.map(({ version, isCurrent, replicas }) => (
          <span
            key={`${version}${isCurrent}`}
            class={isCurrent ? 'current' : undefined}
            style={{ flexGrow: replicas }}
          />
        ))}
      </div>
      <ul class="plain">
        {shares.map(({ version, isCurrent, replicas, answers }) => (
          <li key={`${version}${isCurrent}`}>
            {words.versionShare(
              versionWords(version, isCurrent),
              words.replicaCount(replicas),
              shareWords(answers),
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function versionWords(version: string | undefined, isCurrent: boolean): string {
  if (version !== undefined) return words.versionOf(version);
  return isCurrent ? words.newVersion : words.oldVersion;
}

function ReplicaRow({ replica }: { readonly replica: ToldReplica }): JSX.Element {
  const { id, version, state, workerId, ongoing, answered } = replica;
  return (
    <tr>
      <th scope="row">{visibleLine(id)}</th>
      <td>{version ?? ''}</td>
      <td>{words.states[state]}</td>
      <td>
        {workerId === undefined ? (
          words.beside
        ) : (
          <a href={addressOf('swarm', workerId)}>{visibleLine(workerId)}</a>
        )}
      </td>
      <td class="number">{count(ongoing)}</td>
      <td class="number">{count(answered)}</td>
    </tr>
  );
}
