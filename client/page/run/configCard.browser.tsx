// What a run was asked for: as a table, and as JSON to copy.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ConfigAnswer } from '../../../shared/api/runModel.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { configRows } from './configRows.ts';

const words = runEn.config;

export function ConfigCard({ config: { config } }: { readonly config: ConfigAnswer }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  const json = JSON.stringify(config, null, 2);
  return (
    <Card title={words.title} id="config-title">
      <Scroll kind="config">
        <table id="config">
          <thead>
            <tr>
              <th scope="col">{words.option}</th>
              <th scope="col">{words.value}</th>
            </tr>
          </thead>
          <tbody>
            {configRows(config).map(({ path, value }) => (
              <tr key={path}>
                <th scope="row">{path}</th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <details>
        <summary>{words.json}</summary>
        <pre class="scroll" tabIndex={0}>
          {json}
        </pre>
      </details>
      <div class="controls">
        <button
          id="copy-config"
          type="button"
          onClick={() => void navigator.clipboard.writeText(json).then(() => setCopied(true))}
        >
          {isCopied ? words.copied : words.copy}
        </button>
      </div>
    </Card>
  );
}
