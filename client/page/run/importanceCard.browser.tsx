// Which features matter to a model of trees, as bars.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ImportanceAnswer } from '../../../shared/api/runModel.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { runPath, type Api } from '../owner/api.browser.ts';
import { useAnswer } from './useAnswer.browser.ts';

const words = runEn.importance;
const SHOWN = 30;
const kinds = ['gain', 'cover', 'weight'] as const;
type Kind = (typeof kinds)[number];

interface ImportanceCardProps {
  readonly api: Api;
  readonly runId: string;
}

/** It is counted when it is asked for: the coordinator reads all trees for it. */
export function ImportanceCard({ api, runId }: ImportanceCardProps): JSX.Element {
  const [turn, setTurn] = useState(0);
  const [kind, setKind] = useState<Kind>('gain');
  const path = turn === 0 ? undefined : runPath(runId, '/importance');
  const { answer, problem } = useAnswer<ImportanceAnswer>(api, path, turn);
  return (
    <Card title={words.title} id="importance-title">
      <div class="controls">
        <button id="show-importance" type="button" onClick={() => setTurn(turn + 1)}>
          {words.show}
        </button>
        <label class="check">
          <span>{words.by}</span>
          <select
            id="importance-kind"
            value={kind}
            onChange={({ currentTarget }) => setKind(currentTarget.value as Kind)}
          >
            {kinds.map((one) => (
              <option key={one} value={one}>
                {words[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {answer && <Bars answer={answer} kind={kind} />}
    </Card>
  );
}

function Bars({ answer, kind }: { readonly answer: ImportanceAnswer; readonly kind: Kind }): JSX.Element {
  const { features, used, rounds } = answer;
  if (used === 0) return <p class="note">{words.none}</p>;
  const shown = features.toSorted((a, b) => b[kind] - a[kind]).slice(0, SHOWN);
  const most = Math.max(...shown.map((feature) => feature[kind]), 1e-30);
  return (
    <>
      <p class="note">{words.note(shown.length, used, count(rounds))}</p>
      <Scroll>
        <table id="importance">
          <thead>
            <tr>
              <th scope="col">{words.feature}</th>
              <td aria-hidden="true" />
              <th scope="col" class="number">
                {words[kind]}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((feature) => (
              <tr key={feature.feature}>
                <th scope="row">{feature.feature}</th>
                <td class="bar-cell" aria-hidden="true">
                  <span class="stacked">
                    <span class="compute" style={{ width: `${(100 * feature[kind]) / most}%` }} />
                  </span>
                </td>
                <td class="number">{numberWords(feature[kind])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
