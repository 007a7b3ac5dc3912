// The columns of a dataset: type, distribution, range and missing share.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { visibleLine } from '../../../kernels/visibleText.ts';
import type { ColumnSummary, DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import { Card, Scroll, ShowMore } from '../design/parts.browser.tsx';
import { dataEn } from '../words/dataEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { Distribution } from './distribution.browser.tsx';
import { shareWords } from '../words/shareWords.ts';

const SHOWN_AT_ONCE = 50;

export function ColumnTable({ summary }: { readonly summary: DatasetSummary }): JSX.Element {
  const [wanted, setWanted] = useState('');
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  const { columns, columnCount, isWeighted, rows } = summary;
  const matching = columns.filter(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Card title={dataEn.columns} id="columns-title">
      {isWeighted === true && <p class="note">{dataEn.weighted}</p>}
      {columnCount > columns.length && (
        <p class="note">{dataEn.left(count(columns.length), count(columnCount))}</p>
      )}
      {columns.length > 10 && (
        <label class="filter">
          {dataEn.filter}{' '}
          <input
            id="column-filter"
            type="search"
            value={wanted}
            onInput={({ currentTarget }) => setWanted(currentTarget.value)}
          />
        </label>
      )}
      {matching.length === 0 ? (
        <p class="note">{dataEn.noMatch}</p>
      ) : (
        <Scroll>
          <table id="columns">
            <thead>
              <tr>
                <th scope="col">{dataEn.column}</th>
                <th scope="col">{dataEn.distribution}</th>
                <th scope="col">{dataEn.range}</th>
                <th scope="col" class="number">
                  {dataEn.mean}
                </th>
                <th scope="col" class="number">
                  {dataEn.missing}
                </th>
              </tr>
            </thead>
            <tbody>
              {matching.slice(0, most).map((column) => (
                <ColumnRow key={`${column.role}/${column.name}`} column={column} rows={rows} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <ShowMore
        isShown={matching.length > most}
        words={dataEn.showMore}
        onMore={() => setMost(most + SHOWN_AT_ONCE)}
      />
    </Card>
  );
}

function ColumnRow({ column, rows }: { readonly column: ColumnSummary; readonly rows: number }): JSX.Element {
  const { name, role, type, shape, looked, missing, numbers, categories } = column;
  const share = looked === 0 ? 0 : missing / looked;
  const range = numbers
    ? dataEn.rangeOf(numberWords(numbers.min), numberWords(numbers.max))
    : categories && dataEn.distinct(count(categories.distinct));
  const narrow = [
    range,
    numbers && dataEn.meanOf(numberWords(numbers.mean)),
    dataEn.missingOf(shareWords(share)),
  ];
  return (
    <tr>
      <th scope="row">
        {visibleLine(name)}
        <small class="block">
          {[dataEn.roles[role], type, shape && `[${shape.join(', ')}]`].filter(Boolean).join(' ')}
        </small>
      </th>
      <td>
        <Distribution column={column} />
        {looked < rows && <small class="block">{dataEn.sampled(count(looked))}</small>}
        <small class="narrow">{narrow.filter(Boolean).join(', ')}</small>
      </td>
      <td>{range}</td>
      <td class="number">{numbers && numberWords(numbers.mean)}</td>
      <td class="number">
        <span class="missing" style={{ '--share': `${100 * share}%` }}>
          {shareWords(share)}
        </span>
      </td>
    </tr>
  );
}
