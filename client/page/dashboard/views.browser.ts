// The views of the dashboard, in the order in which the bar names them. Each is told apart by the first word of the
// address's fragment, and the rest are its ids: "#/runs/ID".

import type { JSX } from 'preact';
import { dashboardEn } from '../words/dashboardEn.ts';
import { dataEn } from '../words/dataEn.ts';
import { servingEn } from '../words/servingEn.ts';
import { Data } from '../data/data.browser.tsx';
import { Overview } from './overview.browser.tsx';
import { Runs } from '../run/runs.browser.tsx';
import { Serving } from '../serving/serving.browser.tsx';
import { Swarm } from '../swarm/swarm.browser.tsx';
import { Tuning } from '../tuning/tuning.browser.tsx';
import type { ViewProps } from '../owner/view.ts';

export interface View {
  readonly name: string;
  readonly title: string;
  readonly View: (props: ViewProps) => JSX.Element;
}

const { titles } = dashboardEn;

export const views: readonly [View, ...View[]] = [
  { name: '', title: titles.overview, View: Overview },
  { name: 'runs', title: titles.runs, View: Runs },
  { name: 'tuning', title: titles.tuning, View: Tuning },
  { name: 'data', title: dataEn.title, View: Data },
  { name: 'serving', title: servingEn.title, View: Serving },
  { name: 'swarm', title: titles.swarm, View: Swarm },
];
