// `tabgrad serve`: a trained model behind an HTTP port, until it is told to end.

import { join, resolve } from 'node:path';
import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { deployment, Serve } from '../../serve/serve.ts';
import type { ServeHttpOptions } from '../../serve/serveOptions.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { openStorage, type Storage } from '../../core/server/storage.ts';
import { ownerAccess } from '../../cluster/remote/ownerAccess.ts';
import { remoteServing } from '../../cluster/remote/remoteServing.ts';
import { environmentAuthorities } from '../../cluster/remote/serverTrust.ts';
import type { ServingReports } from '../../core/serving/servingReports.ts';
import { logWriter } from '../../log/logWriter.ts';
import type { Log } from '../../log/log.ts';
import { BadArgumentError } from '../cliErrors.ts';
import { defineCommand, type CliContext } from '../command.ts';
import { urlOption } from '../connectionOptions.ts';
import { tlsOptions, tlsSettings } from '../tlsOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { shownFingerprint } from '../../core/tls/fingerprint.ts';
import { untilAborted } from '../untilAborted.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'Answer rows that are posted as JSON with the predictions of a trained model.',
  positionals: [],
  options: {
    checkpoint: {
      type: 'text',
      placeholder: 'DIR',
      help: 'Checkpoint folder, a model file of XGBoost (JSON or UBJSON), or a folder of a tf.LayersModel. Not needed where --storage has something to bring back.',
    },
    port: {
      type: 'integer',
      placeholder: 'PORT',
      min: 0,
      max: 65_535,
      default: 8000,
      help: 'Port to listen on; 0 takes a free one.',
    },
    host: {
      type: 'text',
      placeholder: 'HOST',
      default: '127.0.0.1',
      help: 'Address to listen on; 0.0.0.0 lets other machines ask.',
    },
    replicas: {
      type: 'integer',
      placeholder: 'N',
      min: 1,
      max: 1_000,
      default: 1,
      help: 'Threads that predict.',
    },
    processes: {
      type: 'integer',
      placeholder: 'N',
      min: 1,
      max: 256,
      default: 1,
      help: 'Processes that take connections at the port. With more than 1 they predict small rows for trees themselves, and pass on all else.',
    },
    device: {
      type: 'choice',
      choices: deviceKinds,
      help: 'What a tf.LayersModel is computed on; cpu by default.',
    },
    name: {
      type: 'text',
      placeholder: 'NAME',
      default: 'default',
      help: 'Name of the application, and of the model in /v2/models.',
    },
    'route-prefix': {
      type: 'text',
      placeholder: 'PATH',
      default: '/',
      help: 'Path that rows are posted to.',
    },
    'api-key': {
      type: 'text',
      placeholder: 'KEY',
      help: 'Key that callers must send as "Authorization: Bearer KEY" or "X-API-Key: KEY". Without it anybody who reaches the port may ask. Better in the variable.',
      env: 'TABGRAD_API_KEY',
    },
    ...tlsOptions,
    storage: {
      type: 'text',
      placeholder: 'DIR',
      help: 'Folder that keeps what is deployed, so that a restart brings it back, and the authority of --tls self; may be that of "tabgrad up".',
    },
    url: {
      ...urlOption,
      help: 'Address of a coordinator that is up: its dashboard shows how the application goes. It is told replicas, counts and times, and nothing of requests.',
    },
    token: {
      type: 'text',
      placeholder: 'TOKEN',
      help: "That coordinator's admin token, with --url. Better in TABGRAD_ADMIN_TOKEN; not needed for a coordinator that you started on this machine.",
    },
    'public-url': {
      type: 'url',
      placeholder: 'URL',
      help: 'Address under which callers reach the server through a proxy.',
    },
    'allow-origins': {
      type: 'text',
      placeholder: 'ORIGINS',
      help: 'Web pages that may ask, by their origins, e.g. "https://app.example,https://other.example"; "*" is any. None by default.',
    },
    'with-label': {
      type: 'flag',
      help: 'Answer the class beside the predictions of trees, as "label".',
    },
    'with-margin': {
      type: 'flag',
      help: 'Answer the margins beside the predictions of trees, as "margin".',
    },
    'access-log': { type: 'flag', help: 'Print a line of JSON for every request.' },
  },
  examples: [
    {
      command: 'tabgrad serve --checkpoint results/flights/checkpoints/20',
      meaning: 'Predictions at http://127.0.0.1:8000/, for this machine alone.',
    },
    {
      command:
        'TABGRAD_API_KEY="$(openssl rand -hex 16)" tabgrad serve --checkpoint model.json --host 0.0.0.0',
      meaning: 'For other machines too, with a key.',
    },
    {
      command: 'tabgrad serve --checkpoint results/flights/checkpoints/20 --url http://127.0.0.1:7070',
      meaning: 'On the dashboard of the coordinator of "tabgrad up".',
    },
  ],
  async run(values, _positionals, { stdout, stderr, cwd, env, signal }) {
    const { checkpoint, device, url, token } = values;
    if (token !== undefined && url === undefined) {
      throw new BadArgumentError('--token is that of the coordinator that --url names; expected both.', {
        field: '--token',
      });
    }
    const { log, close: closeLog } = logWriter({
      output: stderr,
      json: values.json,
      verbose: values.verbose,
    });
    const storage =
      values.storage === undefined ? undefined : await openRecord(resolve(cwd, values.storage), log);
    const ended = new AbortController();
    const reports = url === undefined ? undefined : await reportsTo(url, token, env, ended.signal);
    const server = new Serve({
      log,
      reports,
      coordinator: storage && { deployments: storage.store.deployments, blobs: storage.blobs },
    });
    const accessLog = (entry: object): void =>
      void stdout.write(`${JSON.stringify({ type: 'request', ...entry })}\n`);
    try {
      const http: ServeHttpOptions = {
        port: values.port,
        host: values.host,
        processes: values.processes,
        apiKey: values['api-key'],
        publicUrl: values['public-url'],
        tls: tlsSettings(values, values.storage, cwd),
        allowedOrigins: values['allow-origins']?.split(',').map((origin) => origin.trim()),
        ...(values['access-log'] && { accessLog }),
      };
      // So that the server is not ready before it, whatever is brought back earlier.
      if (checkpoint !== undefined) server.expect(values.name);
      if (storage) await server.restore(http);
      if (checkpoint !== undefined) {
        const model = deployment(new Checkpoint(resolve(cwd, checkpoint)), { numReplicas: values.replicas });
        const options = {
          ...(device !== undefined && { device }),
          ...(values['with-label'] && { withLabel: true }),
          ...(values['with-margin'] && { withMargin: true }),
        };
        await server.run(model.bind(...(Object.keys(options).length === 0 ? [] : [options])), {
          ...http,
          name: values.name,
          routePrefix: values['route-prefix'],
        });
      }
      const urls = servedUrls(server);
      if (urls.length === 0) {
        throw new BadArgumentError(
          'There is nothing to serve: give --checkpoint DIR, or a --storage in which something was deployed.',
          { field: '--checkpoint' },
        );
      }
      if (values.json) {
        const { fingerprint: authorityFingerprint } = server.authority ?? {};
        for (const url of urls)
          stdout.write(`${JSON.stringify({ type: 'serving', url, authorityFingerprint })}\n`);
      } else if (!values.quiet) {
        const rows = [
          ...urls.map((url) => `predictions   POST rows as JSON to ${url}`),
          `the API       ${server.url}/openapi.json`,
          ...(server.authority === undefined
            ? []
            : [`authority     ${shownFingerprint(server.authority.fingerprint)}`]),
          'Ctrl-C ends it.',
        ];
        stdout.write(`${rows.join('\n')}\n`);
      }
      await untilAborted(signal);
    } finally {
      await server.shutdown();
      ended.abort();
      await storage?.close();
      closeLog();
    }
    return exitCodes.ok;
  },
});

/** A record of its own: that of a coordinator in the same folder belongs to the coordinator's process. */
function openRecord(storagePath: string, log: Log): Promise<Storage> {
  return openStorage({ storagePath: join(storagePath, 'serving') }, log);
}

/** The coordinator need not be there: serving does not wait for it. */
async function reportsTo(
  link: string,
  token: string | undefined,
  env: CliContext['env'],
  signal: AbortSignal,
): Promise<ServingReports> {
  const access = await ownerAccess(link, token, env);
  return remoteServing({ ...access, ca: await environmentAuthorities(access.url, signal), signal });
}

function servedUrls(server: Serve): string[] {
  const { url, applications } = server.status();
  return Object.values(applications).map(({ routePrefix }) => new URL(routePrefix, url).href);
}
