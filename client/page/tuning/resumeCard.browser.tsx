// How an experiment that has stopped is gone on with: on the machine of its owner, by a command or a line of a script.

import type { JSX } from 'preact';
import { Card } from '../design/parts.browser.tsx';
import { Command } from '../owner/command.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';

const words = dashboardEn.tuning;

export function ResumeCard({ folder }: { readonly folder: string }): JSX.Element {
  return (
    <Card title={words.resume} id="resume-title">
      <p class="note">{words.resumeNote(folder)}</p>
      <Command id="resume-command" label={words.resumeByCommand} text="npx tabgrad tune CONFIG --resume" />
      <p class="note">{words.resumeScript}</p>
      <Command
        id="resume-script"
        label={words.resumeByScript}
        text={`await (await Tuner.restore(${JSON.stringify(folder)}, { trainable })).fit();`}
      />
    </Card>
  );
}
