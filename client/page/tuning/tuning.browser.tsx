// The tuning experiments, or one of them.

/// <reference types="vite/client" />

import type { JSX } from 'preact';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { ViewProps } from '../owner/view.ts';
import { ExperimentPage } from './experimentPage.browser.tsx';
import { ExperimentTable } from './experimentTable.browser.tsx';
import './tuning.css';

/** "#/tuning" and "#/tuning/ID". */
export function Tuning(props: ViewProps): JSX.Element {
  if (props.ids.length > 0) return <ExperimentPage {...props} />;
  return (
    <Card title={dashboardEn.tuning.experiments} id="experiments-title">
      <ExperimentTable experiments={props.look.status.experiments} />
    </Card>
  );
}
