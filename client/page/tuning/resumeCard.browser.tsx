// How an experiment that has stopped is gone on with: on the machine of its owner, by a command or a line of a script.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';

const words = dashboardEn.tuning;

export function ResumeCard({ folder }: { readonly folder: string }): JSX.Element {
  return (
    <Card title={words.resume} id="resume-title">
      <p class="note">{words.resumeNote(folder)}</p>
      <Command id="resume-command" text="npx tabgrad tune CONFIG --resume" />
      <p class="note">{words.resumeScript}</p>
      <Command
        id="resume-script"
        text={`await (await Tuner.restore(${JSON.stringify(folder)}, { trainable })).fit();`}
      />
    </Card>
  );
}

function Command({ id, text }: { readonly id: string; readonly text: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  return (
    <div class="command">
      <code id={id}>{text}</code>
      <button
        type="button"
        class="small"
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {isCopied ? words.copied : words.copy}
      </button>
    </div>
  );
}
