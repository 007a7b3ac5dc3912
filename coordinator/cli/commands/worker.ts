// `tabgrad worker`: lends this machine to a coordinator, here or elsewhere.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { WorkerStartError } from '../../cluster/local/localErrors.ts';
import { askForJson } from '../../cluster/remote/askCoordinator.ts';
import { knownCoordinator } from '../../cluster/remote/knownCoordinator.ts';
import { defineCommand } from '../command.ts';
import {
  localWorkerSettings,
  reachedAt,
  trustOptions,
  urlOption,
  workerOptions,
} from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { untilAborted } from '../untilAborted.ts';
import { readJoinLink } from '../../cluster/remote/ownerAccess.ts';

export const worker = defineCommand({
  name: 'worker',
  summary: 'Lend this machine to a coordinator.',
  positionals: [],
  options: {
    url: { ...urlOption, required: true },
    token: {
      type: 'text',
      placeholder: 'TOKEN',
      help: 'The join token. Not needed for a coordinator that you started on this machine.',
      env: 'TABGRAD_TOKEN',
    },
    ...trustOptions,
    ...workerOptions,
    cache: {
      type: 'text',
      placeholder: 'FOLDER',
      help: 'Where downloaded shards and timed tiles are kept for the next run, or none. Without it ~/.cache/tabgrad/blobs.',
      env: 'TABGRAD_CACHE',
    },
    'allow-code': {
      type: 'flag',
      help: "Run code of owners (trainLoopPerWorker; programs of mapBatches, Serve and DataParallelTrainer): in Node with the rights of this process, in Deno in a thread without permissions. A tab always runs it, in the browser's sandbox.",
    },
  },
  examples: [
    { command: 'tabgrad worker --url http://192.168.1.20:7070', meaning: 'Join with one Node worker.' },
    {
      command: "tabgrad worker --url 'http://192.168.1.20:7070/join#token=…'",
      meaning: 'Join by the link for tabs, which has the join token in it.',
    },
    {
      command: 'tabgrad worker --url https://192.168.1.20:7070 --ca-fingerprint sha256:0fca…',
      meaning: 'Join a coordinator that made its own authority; it prints the fingerprint.',
    },
    {
      command: 'tabgrad worker --url https://train.example.org --runtime browser --device webgpu',
      meaning: 'Join with a headless browser tab on WebGPU.',
    },
  ],
  async run(values, _positionals, { stdout, stderr, cwd, env, signal }) {
    const { json, quiet } = values;
    const link = readJoinLink(values.url);
    const given = values.token ?? link.joinToken;
    const known = given === undefined ? await knownCoordinator(link.url, env) : undefined;
    const url = known?.url ?? link.url;
    const token = given ?? known?.joinToken;
    const settings = localWorkerSettings(values);
    // A wrong address is told at once; the worker itself would go on trying, since coordinators come back.
    const address = await reachedAt({ ...values, url, token: undefined }, signal);
    await askForJson(address, 'healthz', z.unknown());
    const say = (line: string): void => {
      if (json) stdout.write(`${JSON.stringify({ type: 'log', line })}\n`);
      else if (!quiet) stdout.write(`${line}\n`);
    };
    const { startLocalWorkers } = await import('../../cluster/local/localWorkers.ts');
    const local = await startLocalWorkers({
      url,
      ...(token !== undefined && { token }),
      ...(address.ca !== undefined && { ca: address.ca }),
      count: 1,
      runtime: values.runtime,
      device: values.device ?? 'auto',
      allowCode: values['allow-code'],
      ...settings,
      ...(values.cache !== 'none' && {
        cacheFolder: resolve(cwd, values.cache ?? join(homedir(), '.cache/tabgrad/blobs')),
      }),
      onLine: say,
      onWarning: (line) => void stderr.write(`${line}\n`),
      signal,
    });
    try {
      const [joined] = local.workers;
      if (joined === undefined) return exitCodes.failure;
      const { workerId, device } = joined;
      if (json) stdout.write(`${JSON.stringify({ type: 'joined', workerId, device })}\n`);
      else say(`joined ${url} as ${workerId} on ${device.name}. Ctrl-C leaves; rows are handed over first.`);
      const end = await Promise.race([joined.ended, untilAborted(signal)]);
      if (end !== undefined && !signal.aborted)
        throw new WorkerStartError(`The worker ended by itself: ${end}.`, { peer: workerId });
      return exitCodes.ok;
    } finally {
      await local.stop();
    }
  },
});
