// The parts that the pages are made of.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface CardProps {
  readonly title: string;
  readonly id: string;
  readonly children: ComponentChildren;
}

/** A section with a heading. `id` is unique on the page. */
export function Card({ title, id, children }: CardProps): JSX.Element {
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

export interface Fact {
  readonly term: string;
  readonly value: string;
  readonly remark?: string | undefined;
}

/** Terms with their values, as many beside one another as there is room for. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(({ term, value, remark }) => (
        <div key={term} class={remark === undefined ? undefined : 'wide'}>
          <dt>{term}</dt>
          <dd>
            {value}
            {remark !== undefined && <small>{remark}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface ProgressProps {
  /** In [0, 1]. */
  readonly fraction: number;
  readonly words: string;
}

/** How far something has come. */
export function Progress({ fraction, words }: ProgressProps): JSX.Element {
  return (
    <div class="progress">
      <progress max={1} value={fraction} aria-label={words} />
      <span>{words}</span>
    </div>
  );
}

interface TableProps {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Text alone, under titles. It scrolls where it is too wide. */
export function Table({ head, rows }: TableProps): JSX.Element {
  return (
    <Scroll>
      <table>
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, i) => (
            <tr key={i}>
              {cells.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface ScrollProps {
  readonly children: ComponentChildren;
  /** Beside "scroll". */
  readonly kind?: string;
}

/** Scrolls what is too wide or too high, with the keyboard too: it takes the focus only then. */
export function Scroll({ children, kind }: ScrollProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [isScrolled, setScrolled] = useState(false);
  const measure = (): void => {
    const element = place.current;
    if (!element) return;
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
    setScrolled(scrollWidth > clientWidth || scrollHeight > clientHeight);
  };
  useEffect(measure);
  useEffect(() => {
    const resized = new ResizeObserver(measure);
    if (place.current) resized.observe(place.current);
    return () => resized.disconnect();
  }, []);
  return (
    <div
      ref={place}
      class={kind === undefined ? 'scroll' : `scroll ${kind}`}
      tabIndex={isScrolled ? 0 : undefined}
    >
      {children}
    </div>
  );
}

interface ShowMoreProps {
  readonly isShown: boolean;
  readonly words: string;
  readonly onMore: () => void;
}

/** Below a list of which the beginning is shown. */
export function ShowMore({ isShown, words, onMore }: ShowMoreProps): JSX.Element | null {
  if (!isShown) return null;
  return (
    <div class="controls">
      <button type="button" onClick={onMore}>
        {words}
      </button>
    </div>
  );
}
