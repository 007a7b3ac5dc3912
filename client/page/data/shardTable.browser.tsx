// The shards of a dataset, and which workers have them.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { DatasetAnswer } from '../../../shared/api/datasetAnswers.ts';
import { Card, Scroll, ShowMore } from '../design/parts.browser.tsx';
import { dataEn } from '../words/dataEn.ts';
import { bytes, count } from '../words/statusWords.ts';
import { addressOf } from '../owner/view.ts';

const SHOWN_AT_ONCE = 20;

type Shard = DatasetAnswer['shards'][number];

export function ShardTable({
  shards,
  shardCount,
}: Pick<DatasetAnswer, 'shards' | 'shardCount'>): JSX.Element {
  const [most, setMost] = useState(SHOWN_AT_ONCE);
  return (
    <Card title={dataEn.shards} id="shards-title">
      <p class="note">{dataEn.cachedNote}</p>
      {shardCount > shards.length && (
        <p class="note">{dataEn.shardsLeft(count(shards.length), count(shardCount))}</p>
      )}
      <Scroll>
        <table id="shards">
          <thead>
            <tr>
              <th scope="col" class="number">
                {dataEn.shard}
              </th>
              <th scope="col" class="number">
                {dataEn.rows}
              </th>
              <th scope="col" class="number">
                {dataEn.size}
              </th>
              <th scope="col">{dataEn.cached}</th>
            </tr>
          </thead>
          <tbody>
            {shards.slice(0, most).map((shard) => (
              <tr key={shard.index}>
                <th scope="row" class="number" title={shard.sha256}>
                  {count(shard.index)}
                </th>
                <td class="number">{count(shard.rows)}</td>
                <td class="number">{bytes(shard.sizeBytes)}</td>
                <td>
                  <Holders holders={shard.holders} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <ShowMore
        isShown={shards.length > most}
        words={dataEn.showMore}
        onMore={() => setMost(most + SHOWN_AT_ONCE)}
      />
    </Card>
  );
}

function Holders({ holders }: Pick<Shard, 'holders'>): JSX.Element {
  const of = (kind: Shard['holders'][number]['as']): JSX.Element[] =>
    holders
      .filter(({ as }) => as === kind)
      .map(({ workerId }) => (
        <a key={workerId} href={addressOf('swarm', workerId)}>
          {workerId}
        </a>
      ));
  const [leases, spares] = [of('lease'), of('spare')];
  if (holders.length === 0) return <small>{dataEn.nowhere}</small>;
  return (
    <>
      {leases}
      {spares.length > 0 && (
        <small class="block">
          {dataEn.spare} {spares}
        </small>
      )}
    </>
  );
}
