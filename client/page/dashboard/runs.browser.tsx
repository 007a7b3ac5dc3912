// The runs, or one of them.

import type { JSX } from 'preact';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import { RunPage } from './runPage.browser.tsx';
import { RunTable } from './runTable.browser.tsx';
import type { ViewProps } from './view.ts';

/** "#/runs" and "#/runs/ID". */
export function Runs(props: ViewProps): JSX.Element {
  if (props.ids.length > 0) return <RunPage {...props} />;
  return (
    <Card title={dashboardEn.titles.runs} id="runs-title">
      <RunTable runs={props.look.status.runs} />
    </Card>
  );
}
