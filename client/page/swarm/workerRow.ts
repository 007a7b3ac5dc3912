// A worker as the table of the swarm shows it.

import type { WorkerSummary } from '../../../shared/api/workerAnswers.ts';
import { dashboardEn } from '../words/dashboardEn.ts';
import { bytes, duration, count } from '../words/statusWords.ts';

const words = dashboardEn.swarm;
/** Workers are asked for a sign of life every five seconds: so much silence means nothing. */
const USUAL_SILENCE_MS = 15_000;
const MINUTE_MS = 60_000;
const nothingLearned: NonNullable<WorkerSummary['standing']> = {
  rounds: 0,
  disturbances: 0,
  delays: 0,
  doubts: 0,
};

export interface WorkerRow extends WorkerSummary {
  /** What it does, in words. */
  readonly doing: string;
}

/** @param nameOf the name of a run. */
export function workerRow(worker: WorkerSummary, nameOf: (runId: string) => string): WorkerRow {
  return { ...worker, doing: doingWords(worker, nameOf) };
}

function doingWords(
  { present, leaving, runId, programs }: WorkerSummary,
  nameOf: (runId: string) => string,
): string {
  if (!present) return words.away;
  const work =
    runId !== undefined ? words.inRun(nameOf(runId)) : programs > 0 ? words.programs(programs) : '';
  if (leaving !== undefined) return [words.leaving(leaving), work].filter((part) => part !== '').join(', ');
  return work === '' ? words.idle : work;
}

export function deviceWords({ device }: WorkerSummary): string {
  return device.reason === undefined ? device.name : `${device.name} (${device.reason})`;
}

export function speedWords({ standing }: WorkerSummary): string {
  const rows = standing?.rowsPerSecond;
  return rows === undefined ? '' : words.rowsPerSecond(count(Number(rows.toPrecision(3))));
}

/** How far it is believed, and what is held against it, worst first; empty where nothing is known. */
export function trustWords({ standing = nothingLearned, trust, checksPassed = 0 }: WorkerSummary): string {
  const { setAside, disturbances, delays, doubts } = standing;
  const parts = [
    trust && words.trustLevel[trust](checksPassed),
    setAside && words.setAside(setAside.reason, setAside.isForGood),
    doubts > 0 && words.doubts(doubts),
    disturbances >= 0.5 && words.disturbances(Math.round(disturbances)),
    delays > 0 && words.delays(delays),
  ];
  return parts.filter((part) => typeof part === 'string').join(', ');
}

/** The less it is trusted, the higher. */
export function distrust({ standing = nothingLearned, trust = 'owners' }: WorkerSummary): number {
  const { setAside, disturbances, delays, doubts } = standing;
  const held = (setAside ? (setAside.isForGood ? 1e6 : 1e3) : 0) + 10 * doubts + disturbances + delays;
  return held + { owners: 0, proven: 0.1, unproven: 0.2 }[trust];
}

export function seenWords({ silentMs = 0, present }: WorkerSummary): string {
  if (present && silentMs < USUAL_SILENCE_MS) return words.now;
  return words.ago(duration(silentMs));
}

/** In whole minutes: a row is drawn again when its words change. */
export function ageWords({ ageMs = 0 }: WorkerSummary): string {
  return ageMs < MINUTE_MS ? words.underAMinute : duration(Math.floor(ageMs / MINUTE_MS) * MINUTE_MS);
}

export function linkWords({ links }: WorkerSummary): string {
  if (!links || links.direct + links.relay === 0) return '';
  return links.relay === 0 ? words.direct(links.direct) : words.linked(links.direct, links.relay);
}

export function trafficOf(worker: WorkerSummary): number {
  const { sentBytes = 0, receivedBytes = 0, exchangedBytes = 0 } = worker;
  return sentBytes + receivedBytes + exchangedBytes;
}

export function trafficWords(worker: WorkerSummary): string {
  const { sentBytes = 0, receivedBytes = 0, exchangedBytes = 0, relayedBytes = 0 } = worker;
  const control = words.control(bytes(sentBytes + receivedBytes));
  if (exchangedBytes === 0) return control;
  const exchanged = words.exchanged(bytes(exchangedBytes));
  return [exchanged, ...(relayedBytes > 0 ? [words.relayed(bytes(relayedBytes))] : []), control].join(', ');
}
