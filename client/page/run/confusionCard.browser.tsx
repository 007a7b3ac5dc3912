// Which classes a net takes for which, once its run has ended.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ConfusionMatrix } from '../../../shared/neural/run/confusionMatrix.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { count } from '../words/statusWords.ts';
import { runPath, type Api } from '../owner/api.browser.ts';
import './confusion.css';

const words = dashboardEn.confusion;

interface ConfusionCardProps {
  readonly api: Api;
  readonly runId: string;
}

/** Nothing for runs that have none: of trees, of numbers, without an evaluation set. */
export function ConfusionCard({ api, runId }: ConfusionCardProps): JSX.Element | null {
  const [matrix, setMatrix] = useState<ConfusionMatrix | null>(null);
  useEffect(() => {
    const over = new AbortController();
    api.get<{ confusion: ConfusionMatrix | null }>(runPath(runId, '/confusion'), over.signal).then(
      ({ confusion }) => setMatrix(confusion),
      () => undefined, // The page says already that the coordinator does not answer.
    );
    return () => over.abort();
  }, [api, runId]);
  if (!matrix) return null;
  const { classes, counts } = matrix;
  const names = Array.from({ length: classes }, (_, i) => i);
  const row = (label: number): readonly number[] => counts.slice(label * classes, (label + 1) * classes);
  return (
    <Card title={words.title} id="confusion-title">
      <p class="note">{words.note}</p>
      <Scroll>
        <table id="confusion">
          <thead>
            <tr>
              <th scope="col">{words.label}</th>
              {names.map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
              <th scope="col" class="number">
                {words.right}
              </th>
            </tr>
          </thead>
          <tbody>
            {names.map((label) => {
              const all = row(label).reduce((sum, value) => sum + value, 0);
              return (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  {row(label).map((value, predicted) => (
                    <td
                      key={predicted}
                      class={`number ${predicted === label ? 'right' : 'wrong'}`}
                      style={{ '--share': value / Math.max(1, all) }}
                    >
                      {value === 0 ? '' : count(value)}
                    </td>
                  ))}
                  <td class="number">
                    {all === 0 ? '' : `${((100 * row(label)[label]!) / all).toFixed(1)} %`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}
