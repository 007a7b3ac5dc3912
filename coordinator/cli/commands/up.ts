// `tabgrad up`: a coordinator that stays up until it is told to end, with local workers where asked.

import type { Coordinator } from '../../core/server/coordinator.ts';
import type { IceSettings } from '../../core/server/iceServers.ts';
import { defineCommand, type CliContext } from '../command.ts';
import { MAX_LOCAL_WORKERS } from '../../options/localWorker.ts';
import { localWorkerSettings, workerOptions } from '../connectionOptions.ts';
import { tlsOptions, tlsSettings } from '../tlsOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { untilAborted } from '../untilAborted.ts';
import { readProjectFile } from '../projectFile.ts';
import { announceUp } from '../announceUp.ts';
import { leaveTokens } from '../leaveTokens.ts';
import { logWriter } from '../../log/logWriter.ts';
import type { PublishedTokens } from '../../cluster/remote/publishTokens.ts';
import { isShared } from '../../core/http/addresses.ts';

export const up = defineCommand({
  name: 'up',
  summary: 'Start a coordinator and, where asked, workers on this machine.',
  positionals: [],
  options: {
    port: {
      type: 'integer',
      placeholder: 'PORT',
      min: 0,
      max: 65_535,
      default: 7070,
      help: 'Port to listen on; 0 takes a free one.',
    },
    host: {
      type: 'text',
      placeholder: 'HOST',
      default: '127.0.0.1',
      help: 'Address to listen on; 0.0.0.0 lets other machines in.',
    },
    storage: {
      type: 'text',
      placeholder: 'DIR',
      help: 'Folder for shards and records: started again on it, runs go on. Without it a temporary one, removed at the end.',
    },
    database: {
      type: 'text',
      placeholder: 'URL',
      help: 'PostgreSQL database (postgres://…) for the records, instead of a file in the folder.',
      env: 'TABGRAD_DATABASE_URL',
    },
    blobs: {
      type: 'text',
      placeholder: 'URL',
      help: 'S3-compatible store for shards and trees (s3://BUCKET/PREFIX?endpoint=URL), instead of the folder; keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
      env: 'TABGRAD_BLOBS',
    },
    standby: {
      type: 'flag',
      help: 'Where another coordinator works on the same storage or database: wait until it is gone, then take over.',
    },
    workers: {
      type: 'integer',
      placeholder: 'N',
      min: 0,
      max: MAX_LOCAL_WORKERS,
      default: 0,
      help: 'Local workers to start.',
    },
    ...workerOptions,
    token: {
      type: 'text',
      placeholder: 'TOKEN',
      help: 'Token that workers must show to join. Without it one is made; with --storage it is kept. Better in the variable.',
      env: 'TABGRAD_TOKEN',
    },
    'admin-token': {
      type: 'text',
      placeholder: 'TOKEN',
      help: 'Token for owners: runs, status, workers, tokens. Without it one is made; with --storage it is kept. Better in the variable.',
      env: 'TABGRAD_ADMIN_TOKEN',
    },
    'check-work': {
      type: 'choice',
      choices: ['auto', 'always', 'never'],
      default: 'auto',
      help: "Whose work in runs is checked, every round of trees before it is recorded and steps of nets by samples: strangers' (auto), the owner's too (always), or nobody's. What strangers predict is checked by samples in any case (docs/trust.md).",
    },
    ...tlsOptions,
    project: {
      type: 'text',
      placeholder: 'FILE',
      help: 'What volunteers are told: title, description, picture (a path), contact and link, as JSON or YAML. Kept with --storage.',
    },
    'public-url': {
      type: 'url',
      placeholder: 'URL',
      help: 'Address under which volunteers reach the coordinator through a proxy or tunnel, with the path where there is one.',
      env: 'TABGRAD_PUBLIC_URL',
    },
    ice: {
      type: 'text',
      placeholder: 'URLS',
      help: 'STUN and TURN servers, separated by commas, for workers of other networks.',
      env: 'TABGRAD_ICE',
    },
    'turn-secret': {
      type: 'text',
      placeholder: 'SECRET',
      help: "Secret shared with the TURN server (coturn's static-auth-secret). Better in the variable.",
      env: 'TABGRAD_TURN_SECRET',
    },
    'turn-lifetime': {
      type: 'integer',
      placeholder: 'SECONDS',
      min: 600,
      max: 30 * 24 * 60 * 60,
      default: 24 * 60 * 60,
      help: 'How long TURN credentials are good for; workers that stay get new ones in time.',
      env: 'TABGRAD_TURN_LIFETIME',
    },
    'max-workers-per-address': {
      type: 'integer',
      placeholder: 'N',
      min: 1,
      max: 4096,
      default: 256,
      help: 'Workers that may join from one IPv4 address or /64 network; those of this machine are not counted.',
      env: 'TABGRAD_MAX_WORKERS_PER_ADDRESS',
    },
    'max-unproven-share': {
      type: 'number',
      placeholder: 'SHARE',
      min: 0,
      max: 1,
      default: 1,
      help: "Most of a run's rows that strangers may hold together before checks of their work have proven them, from 0 to 1. A run waits while nobody else is there to hold the rest.",
      env: 'TABGRAD_MAX_UNPROVEN_SHARE',
    },
    'trust-proxy': {
      type: 'text',
      placeholder: 'ADDRESSES',
      help: 'Proxies whose X-Forwarded-For and X-Forwarded-Host are believed: addresses and networks separated by commas, or "loopback".',
      env: 'TABGRAD_TRUST_PROXY',
    },
  },
  examples: [
    {
      command: 'tabgrad up --workers 4',
      meaning: 'A coordinator with four Node workers, for this machine alone.',
    },
    {
      command: 'tabgrad up --storage /var/lib/tabgrad',
      meaning: 'Keep runs over restarts and crashes: workers come back, and runs go on.',
    },
    {
      command: 'tabgrad up --host 0.0.0.0',
      meaning: 'Let volunteers of the same network join with the link that is printed.',
    },
    {
      command: 'tabgrad up --host 0.0.0.0 --tls self --storage /var/lib/tabgrad',
      meaning: 'Over https, so that tabs of other machines get a GPU; the certificate is made here.',
    },
    {
      command: 'tabgrad up --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem',
      meaning: 'Over https with a certificate that browsers know already.',
    },
    {
      command: 'tabgrad up --host 0.0.0.0 --ice stun:stun.example.org:3478',
      meaning: 'Let workers behind different routers find one another.',
    },
    {
      command: 'tabgrad up --workers 2 --runtime browser --device webgpu',
      meaning: 'Two headless tabs on WebGPU as workers.',
    },
  ],
  async run(values, _positionals, context) {
    const { startCoordinator } = await import('../../core/server/coordinator.ts');
    const { startLocalWorkers } = await import('../../cluster/local/localWorkers.ts');
    const settings = localWorkerSettings(values);
    const { json, verbose } = values;
    const { log, close: closeLog } = logWriter({ output: context.stderr, json, verbose: verbose || json });
    const publicUrl = values['public-url'];
    const adminToken = values['admin-token'];
    const tls = tlsSettings(values, values.storage, context.cwd);
    const project =
      values.project === undefined ? undefined : await readProjectFile(values.project, context.cwd);
    const coordinator = await startCoordinator({
      log,
      ...(project && { project }),
      ...(tls && { tls }),
      port: values.port,
      host: values.host,
      ...(values.storage !== undefined && { storagePath: values.storage }),
      ...(values.database !== undefined && { databaseUrl: values.database }),
      ...(values.blobs !== undefined && { blobsUrl: values.blobs }),
      ...(values.standby && {
        standby: { signal: context.signal, onStandby: () => announceStandby(values, context) },
      }),
      ...(values.token !== undefined && { joinToken: values.token }),
      ...(adminToken !== undefined && { adminToken }),
      ...(publicUrl !== undefined && { publicUrl }),
      ...(values.ice !== undefined && {
        ice: iceSettings(values.ice, values['turn-secret'], values['turn-lifetime']),
      }),
      checkWork: values['check-work'],
      maxWorkersPerAddress: values['max-workers-per-address'],
      maxUnprovenShare: values['max-unproven-share'],
      ...(values['trust-proxy'] !== undefined && { trustedProxies: values['trust-proxy'].split(',') }),
    });
    let published: PublishedTokens | undefined;
    try {
      published = await leaveTokens(
        coordinator,
        { host: values.host, publicUrl, env: context.env },
        (message) => log({ level: 'warn', message }),
      );
      if (values.json || !values.quiet) {
        announceUp(
          {
            coordinator,
            tokenFile: published?.file,
            isShared: isShared(values.host, publicUrl, values['trust-proxy'] !== undefined),
            json: values.json,
          },
          context.stdout,
        );
      }
      const say = (line: string): void => {
        if (values.json) context.stdout.write(`${JSON.stringify({ type: 'log', line })}\n`);
        else if (!values.quiet) context.stdout.write(`${line}\n`);
      };
      if (values.workers === 0) {
        await untilOver(coordinator, context.signal);
        return exitCodes.ok;
      }
      const local = await startLocalWorkers({
        url: coordinator.url,
        token: coordinator.tokens.local,
        ...(coordinator.authority && { ca: coordinator.authority.pem }),
        count: values.workers,
        runtime: values.runtime,
        device: values.device ?? 'auto',
        ...settings,
        isOwnCoordinator: true,
        onLine: say,
        onWarning: (message) => log({ level: 'warn', message }),
        signal: context.signal,
      });
      try {
        for (const { kind, workerId, device } of local.workers)
          say(`worker ${workerId} joined: ${kind}, ${device.name}${reasonIn(device.reason)}`);
        await untilOver(coordinator, context.signal);
      } finally {
        await local.stop();
      }
    } finally {
      await published?.remove();
      await coordinator.close();
      closeLog();
    }
    return exitCodes.ok;
  },
});

/** @throws StorageInUseError when another coordinator got the record. */
async function untilOver({ lost }: Coordinator, signal: AbortSignal): Promise<void> {
  const taken = await Promise.race([lost, untilAborted(signal)]);
  if (taken) throw taken;
}

function announceStandby(
  values: { readonly json: boolean; readonly quiet: boolean },
  { stdout }: CliContext,
): void {
  if (values.json) stdout.write(`${JSON.stringify({ type: 'standby' })}\n`);
  else if (!values.quiet) stdout.write('standing by: another coordinator works on this record\n');
}

function reasonIn(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

function iceSettings(urls: string, turnSecret: string | undefined, turnLifetimeS: number): IceSettings {
  const list = urls.split(',').map((url) => url.trim());
  return turnSecret === undefined ? { urls: list } : { urls: list, turnSecret, turnLifetimeS };
}
