// A command to copy.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import './command.css';
import { commandEn } from '../words/commandEn.ts';

interface CommandProps {
  readonly text: string;
  /** What it does, for the button's name. */
  readonly label: string;
  readonly id?: string;
}

/** The text, and a button that copies it. */
export function Command({ text, label, id }: CommandProps): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="command">
      <pre tabIndex={0} role="group" aria-label={label}>
        <code id={id}>{text}</code>
      </pre>
      <button
        type="button"
        class="small"
        aria-label={commandEn.copyLabel(label)}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {isCopied ? commandEn.copied : commandEn.copy}
      </button>
    </div>
  );
}

/** The address of this coordinator, as commands take it. */
export function coordinatorUrl(): string {
  return new URL('.', document.baseURI).href.replace(/\/$/, '');
}
