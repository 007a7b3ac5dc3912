// What the volunteer lends at most, with what was measured of it.

import type { JSX } from 'preact';
import { en } from '../words/en.ts';
import { bytes, percent } from '../words/statusWords.ts';
import type { Lending, LendingView } from './lending.browser.ts';
import { schedules } from './limits.ts';
import { canTellIdle, canTellMains } from './surroundings.browser.ts';

const shares = [0.1, 0.25, 0.5, 0.75, 1];
const MB = 1_000_000;
const GB = 1_000 * MB;
const dataBudgets = [100 * MB, 500 * MB, 1 * GB, 5 * GB, 20 * GB];
const memoryBudgets = [250 * MB, 500 * MB, 1 * GB, 2 * GB, 4 * GB];

interface LimitsProps {
  readonly view: LendingView;
  readonly lending: Lending;
}

/** Choices of limits; they hold at once, also while lending. */
export function LimitsCard({ view, lending }: LimitsProps): JSX.Element {
  const { limits, status } = view;
  const words = en.limits;
  const used = status?.usedShare;
  return (
    <section class="card" aria-labelledby="limits-title">
      <h2 id="limits-title">{words.title}</h2>
      <fieldset class="share">
        <legend>
          {words.share}
          {used !== undefined && <small id="used-share"> {words.shareNow(percent(used))}</small>}
        </legend>
        {shares.map((share) => (
          <label key={share}>
            <input
              type="radio"
              name="share"
              value={share}
              checked={limits.share === share}
              onChange={() => void lending.setLimits({ share })}
            />
            <span>{percent(share)}</span>
          </label>
        ))}
      </fieldset>
      <div class="limits">
        <label>
          <span>{words.schedule}</span>
          <select
            id="schedule"
            value={limits.schedule}
            onChange={({ currentTarget }) => {
              const schedule = schedules.find((known) => known === currentTarget.value);
              if (schedule) void lending.setLimits({ schedule });
            }}
          >
            {schedules.map((schedule) => (
              <option key={schedule} value={schedule} disabled={schedule === 'idle' && !canTellIdle}>
                {words.schedules[schedule]}
                {schedule === 'idle' && !canTellIdle && ` (${words.unknownIdle})`}
              </option>
            ))}
          </select>
        </label>
        <Budget
          id="data-budget"
          label={words.data}
          value={limits.dataBytes}
          choices={dataBudgets}
          used={view.todayBytes}
          onChange={(dataBytes) => void lending.setLimits({ dataBytes })}
        />
        <Budget
          id="memory-budget"
          label={words.memory}
          value={limits.memoryBytes}
          choices={memoryBudgets}
          used={view.memoryBytes}
          onChange={(memoryBytes) => void lending.setLimits({ memoryBytes })}
        />
        <label class="check">
          <input
            id="mains"
            type="checkbox"
            checked={limits.onlyOnMains}
            disabled={!canTellMains}
            onChange={({ currentTarget }) => void lending.setLimits({ onlyOnMains: currentTarget.checked })}
          />
          <span>
            {words.onlyOnMains}
            {!canTellMains && <small> ({words.unknownMains})</small>}
          </span>
        </label>
        {'wakeLock' in navigator && (
          <label class="check">
            <input
              id="awake"
              type="checkbox"
              checked={limits.keepAwake}
              onChange={({ currentTarget }) => void lending.setLimits({ keepAwake: currentTarget.checked })}
            />
            <span>{words.keepAwake}</span>
          </label>
        )}
      </div>
    </section>
  );
}

interface BudgetProps {
  readonly id: string;
  readonly label: string;
  readonly value: number | undefined;
  readonly choices: readonly number[];
  readonly used: number | undefined;
  readonly onChange: (value: number | undefined) => void;
}

function Budget({ id, label, value, choices, used, onChange }: BudgetProps): JSX.Element {
  return (
    <label>
      <span>
        {label}
        {used !== undefined && <small> {en.limits.used(bytes(used))}</small>}
      </span>
      <select
        id={id}
        value={value ?? ''}
        onChange={({ currentTarget }) =>
          onChange(currentTarget.value === '' ? undefined : Number(currentTarget.value))
        }
      >
        <option value="">{en.limits.unlimited}</option>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {bytes(choice)}
          </option>
        ))}
      </select>
    </label>
  );
}
