// One tree of a model as an outline that opens and closes, by the pointer or the keyboard (the ARIA tree pattern).

import type { JSX } from 'preact';
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { ToldNode, TreeAnswer } from '../../../shared/api/runModel.ts';
import { Card } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { count, numberWords } from '../words/statusWords.ts';
import { runPath, type Api } from '../owner/api.browser.ts';
import { openAtFirst, outlineMove, outlineOf, type OutlineMove, type OutlineRow } from './treeOutline.ts';
import { useAnswer } from './useAnswer.browser.ts';

const words = runEn.tree;
const SHOWN_CATEGORIES = 12;
/** Rows in sight: a tree that is opened wide is cut, not the page slowed down. */
const MAX_ROWS = 1_500;

interface TreeCardProps {
  readonly api: Api;
  readonly runId: string;
}

export function TreeCard({ api, runId }: TreeCardProps): JSX.Element {
  const [number, setNumber] = useState<number>();
  const { answer, problem } = useAnswer<TreeAnswer>(
    api,
    number === undefined ? undefined : runPath(runId, `/trees/${number}`),
  );
  return (
    <Card title={words.title} id="tree-title">
      <div class="controls">
        <label class="check">
          <span>{words.number}</span>
          <input
            id="tree-number"
            type="number"
            min={0}
            max={answer ? answer.trees - 1 : undefined}
            placeholder="0"
            onInput={({ currentTarget: { valueAsNumber } }) =>
              setNumber(Number.isInteger(valueAsNumber) && valueAsNumber >= 0 ? valueAsNumber : undefined)
            }
          />
        </label>
        {answer && <span class="note">{words.of(count(answer.trees))}</span>}
        <button id="show-tree" type="button" onClick={() => setNumber((known) => known ?? 0)}>
          {runEn.importance.show}
        </button>
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {answer?.output !== undefined && <p class="note">{words.output(answer.output)}</p>}
      {answer && <Outline key={answer.tree} nodes={answer.nodes} />}
    </Card>
  );
}

function Outline({ nodes }: { readonly nodes: readonly ToldNode[] }): JSX.Element {
  // Keys come faster than the page is drawn: each acts on what the one before it left.
  const state = useRef({ open: openAtFirst(nodes), focused: 0, wantsFocus: false });
  const [, redraw] = useReducer((turn: number) => turn + 1, 0);
  const place = useRef<HTMLUListElement>(null);
  const { open, focused } = state.current;
  const rows = useMemo(() => rowsOf(nodes, open), [nodes, open]);
  const change = ({ focused: next, toggled }: OutlineMove, wantsFocus: boolean): void => {
    const { open: known } = state.current;
    const toggle = (node: number): ReadonlySet<number> =>
      new Set(known.has(node) ? [...known].filter((other) => other !== node) : [...known, node]);
    state.current = { open: toggled === undefined ? known : toggle(toggled), focused: next, wantsFocus };
    redraw(undefined);
  };
  useEffect(() => {
    if (!state.current.wantsFocus) return;
    state.current.wantsFocus = false;
    place.current?.querySelector<HTMLElement>(`[data-node="${state.current.focused}"]`)?.focus();
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = outlineMove(rowsOf(nodes, state.current.open), state.current.focused, event.key);
    if (!move) return;
    event.preventDefault();
    change(move, true);
  };
  return (
    <>
      <p class="note">{words.hint}</p>
      <ul
        id="tree"
        class="tree scroll"
        role="tree"
        aria-labelledby="tree-title"
        ref={place}
        onKeyDown={onKeyDown}
      >
        {rows.map(({ node, level, branch, isLeaf, isOpen }) => (
          <li
            key={node}
            role="treeitem"
            data-node={node}
            aria-level={level}
            aria-expanded={isLeaf ? undefined : isOpen}
            aria-selected={node === focused}
            tabIndex={node === focused ? 0 : -1}
            style={{ paddingInlineStart: `${1.25 * (level - 1)}rem` }}
            onClick={() => change(isLeaf ? { focused: node } : { focused: node, toggled: node }, true)}
          >
            <span class="twig" aria-hidden="true">
              {isLeaf ? '•' : isOpen ? '▾' : '▸'}
            </span>
            {branch !== undefined && <span class="branch">{branch === 'left' ? words.yes : words.no}</span>}
            <NodeWords node={nodes[node]!} />
          </li>
        ))}
      </ul>
    </>
  );
}

function rowsOf(nodes: readonly ToldNode[], open: ReadonlySet<number>): readonly OutlineRow[] {
  return outlineOf(nodes, open).slice(0, MAX_ROWS);
}

function NodeWords({ node }: { readonly node: ToldNode }): JSX.Element {
  const { feature, threshold, categories, missing, value, gain, cover } = node;
  if (feature === undefined) {
    return (
      <span>
        <b>{words.leaf(numberWords(value ?? 0))}</b> <small>{words.cover(numberWords(cover))}</small>
      </span>
    );
  }
  const test = categories
    ? words.categories(feature, namesOf(categories))
    : words.split(feature, numberWords(threshold ?? 0));
  const details = [
    words.missing(missing === 'left' ? words.yes : words.no),
    ...(gain === undefined ? [] : [words.gain(numberWords(gain))]),
    words.cover(numberWords(cover)),
    ...(node.left === undefined ? [words.deeper] : []),
  ];
  return (
    <span>
      <b>{test}</b> <small>{details.join(', ')}</small>
    </span>
  );
}

function namesOf(categories: NonNullable<ToldNode['categories']>): string {
  const shown = categories.slice(0, SHOWN_CATEGORIES).join(', ');
  return categories.length > SHOWN_CATEGORIES ? `${shown}, … (${categories.length})` : shown;
}
