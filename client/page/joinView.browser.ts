// Puts a worker's status on the volunteer's page. Knows the document and nothing else.

import type { WorkerStatus } from '../runtime/workerStatus.ts';
import { bytes, count, statusWords } from './statusWords.ts';

/** Phases of a worker, and the page's own: nothing started yet, or broken. */
export type PagePhase = WorkerStatus['phase'] | 'offered' | 'failed';

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

export const joinButton = element('join');
export const pauseButton = element('pause');
export const resumeButton = element('resume');
export const leaveButton = element('leave');
const progressBar = element('progress-bar') as HTMLProgressElement;

/** Writes text only when it differs, so that a screen reader is not told the same thing again. */
function write(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function showPhase(phase: PagePhase, title: string, note: string): void {
  document.body.dataset['phase'] = phase;
  document.title = `${title} · tabgrad`;
  write(element('state'), title);
  write(element('note'), note);
  const running = !['offered', 'ended', 'failed'].includes(phase);
  const leaving = phase === 'leaving';
  joinButton.hidden = running;
  write(joinButton, phase === 'offered' ? 'Join' : 'Join again');
  pauseButton.hidden = !running || leaving || phase === 'paused';
  resumeButton.hidden = phase !== 'paused';
  leaveButton.hidden = !running || leaving;
}

/** Something went wrong that the volunteer should read; undefined takes it away. */
export function showProblem(text: string | undefined): void {
  const problem = element('problem');
  problem.hidden = text === undefined;
  write(problem, text ?? '');
}

export function showStatus(status: WorkerStatus): void {
  const words = statusWords(status);
  showPhase(status.phase, words.title, words.note);
  element('progress').hidden = words.progress === undefined;
  if (words.progress) {
    progressBar.value = words.progress.fraction;
    write(element('progress-words'), words.progress.words);
  }
  showFacts(status);
  showLinks(status);
}

interface Fact {
  readonly term: string;
  readonly value: string;
  readonly remark?: string | undefined;
}

function showFacts({ device, workerId, session }: WorkerStatus): void {
  const facts: Fact[] = [];
  if (device) {
    const kind = device.kind === 'webgpu' ? 'GPU (WebGPU)' : 'Processor';
    facts.push({ term: 'Computes on', value: `${kind}: ${device.name}`, remark: device.reason });
  }
  if (workerId !== undefined) facts.push({ term: 'Name in the group', value: workerId });
  if (session.state === 'training') {
    const { links } = session;
    const total = (key: 'bytesSent' | 'bytesReceived'): number =>
      links.reduce((sum, link) => sum + link[key], 0);
    facts.push(
      { term: 'Group', value: `${session.groupSize} ${session.groupSize === 1 ? 'worker' : 'workers'}` },
      { term: 'Rows held here', value: count(session.rows) },
      { term: 'Speed', value: `${count(session.rowsPerSecond)} rows/s` },
      { term: 'Sent to peers', value: bytes(total('bytesSent')) },
      { term: 'Received from peers', value: bytes(total('bytesReceived')) },
    );
  }
  element('facts-card').hidden = facts.length === 0;
  element('facts').replaceChildren(
    ...facts.map(({ term, value, remark }) => {
      const group = document.createElement('div');
      if (remark !== undefined) group.className = 'wide';
      group.append(textElement('dt', term), textElement('dd', value));
      if (remark !== undefined) group.lastElementChild?.append(textElement('small', remark));
      return group;
    }),
  );
}

function showLinks({ session }: WorkerStatus): void {
  const links = session.state === 'training' ? session.links : [];
  element('links-part').hidden = links.length === 0;
  element('links').replaceChildren(
    ...links.map((link) => {
      const row = document.createElement('tr');
      const path = link.path === 'relay' ? 'relayed' : link.path;
      row.append(textElement('td', link.peer), textElement('td', path));
      for (const value of [link.bytesSent, link.bytesReceived]) {
        const cell = textElement('td', bytes(value));
        cell.className = 'number';
        row.append(cell);
      }
      return row;
    }),
  );
}

function textElement(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
