// A command to copy.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import './command.css';
import { commandEn } from '../words/commandEn.ts';

/** @param label what it does, for the button's name. */
export function Command({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="command">
      <pre tabIndex={0} role="group" aria-label={label}>
        <code>{text}</code>
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
