// What a volunteer can see of the rows that are here: fetched when it is asked for.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HeldRows } from '../../runtime/heldRows.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { en } from '../words/en.ts';
import { count } from '../words/statusWords.ts';
import type { Lending } from './lending.browser.ts';

const words = en.heldRows;

export function HeldRowsCard({ lending }: { readonly lending: Lending }): JSX.Element {
  const [held, setHeld] = useState<HeldRows>();
  const [note, setNote] = useState<string>(words.note);
  const look = async (): Promise<void> => {
    try {
      const found = await lending.heldRows();
      setHeld(found);
      setNote(found ? heldWords(found) : words.none);
    } catch {
      setNote(words.failed);
    }
  };
  return (
    <Card title={words.title} id="held-title">
      <p class="note" id="held" aria-live="polite">
        {note}
      </p>
      {held && <Look held={held} />}
      <button id="look" type="button" onClick={() => void look()}>
        {held ? words.again : words.look}
      </button>
    </Card>
  );
}

function heldWords({ datasets, spareRows, areSteps }: HeldRows): string {
  const parts = datasets.map(({ name, rows }) => words.rowsOf(count(rows), name)).join(', ');
  return [
    areSteps ? words.held(parts) : words.drawn(parts),
    ...(spareRows > 0 ? [words.spares(count(spareRows))] : []),
    ...(areSteps ? [words.steps] : []),
  ].join(' ');
}

function Look({ held: { look, columnCount } }: { readonly held: HeldRows }): JSX.Element {
  return (
    <>
      <Scroll>
        <table id="held-rows">
          <caption class="note">
            {words.caption(look.dataset, count(look.firstRow), columnCount, look.columns.length)}
          </caption>
          <thead>
            <tr>
              {look.columns.map((column, i) => (
                <th key={i} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {look.values.map((row, i) => (
              <tr key={i}>
                {row.map((value, column) => (
                  <td key={column} class="number">
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
