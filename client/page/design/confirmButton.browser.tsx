// A button for what can not be taken back: it asks once, and forgets the question after a while.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const ASKED_FOR_MS = 6_000;

interface ConfirmButtonProps {
  readonly text: string;
  /** What it asks. */
  readonly question: string;
  readonly onConfirm: () => void;
}

export function ConfirmButton({ text, question, onConfirm }: ConfirmButtonProps): JSX.Element {
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    if (!isAsking) return undefined;
    const timer = setTimeout(() => setAsking(false), ASKED_FOR_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  const press = (): void => {
    setAsking(!isAsking);
    if (isAsking) onConfirm();
  };
  return (
    <button type="button" class={isAsking ? 'small asking' : 'small'} aria-live="polite" onClick={press}>
      {isAsking ? question : text}
    </button>
  );
}
