// Asks a server over and over, in a thread of its own: the attack keeps the thread of the test busy. What counts is how much
// the server computed between a question and its answer, which does not depend on what else the machine does.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { url, pid, body } = workerData;
const PAUSE_MS = 20;

/** Processor time of the server's main thread so far, in ms (Linux: nanoseconds are the first of schedstat's numbers). */
function computedMs() {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** A connection of its own for each: a kept one may be closed by the server just then. */
function ask() {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, method: body === undefined ? 'GET' : 'POST' }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
      response.once('error', reject);
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

const over = new AbortController();
parentPort.once('message', () => over.abort());
let slowestMs = 0;
do {
  const before = computedMs();
  const status = await ask();
  if (status !== 200) throw new Error(`${url} answered ${status}`);
  slowestMs = Math.max(slowestMs, computedMs() - before);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
} while (!over.signal.aborted);
parentPort.postMessage(slowestMs);
