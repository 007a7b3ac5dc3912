// Last and best values of one run's metrics, those between the drawn points included.

import type { JSX } from 'preact';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { bestOf } from './smooth.ts';
import type { RunHistory } from './runHistory.ts';

const words = runEn.curves;

export function MetricsCard({ history }: { readonly history: RunHistory }): JSX.Element | null {
  if (history.names.length === 0) return null;
  return (
    <Card title={words.metrics} id="metrics-title">
      <Scroll>
        <table id="metrics">
          <thead>
            <tr>
              <th scope="col">{words.metric}</th>
              <th scope="col" class="number">
                {words.last}
              </th>
              <th scope="col" class="number">
                {words.best}
              </th>
            </tr>
          </thead>
          <tbody>
            {history.names.map((name) => {
              const curve = history.curve(name);
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="number">{pointWords(curve?.last)}</td>
                  <td class="number">{pointWords(curve && bestOf(name, curve))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </Card>
  );
}

function pointWords(point: { readonly at: number; readonly value: number } | undefined): string {
  return point ? words.at(numberWords(point.value), count(point.at)) : '';
}
