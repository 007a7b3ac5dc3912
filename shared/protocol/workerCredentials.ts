// How a worker shows over HTTP who it is: by the id and the secret of its welcome.

export interface WorkerCredentials {
  readonly workerId: string;
  readonly secret: string;
}

/** The value of an Authorization header. */
export function workerAuthorization({ workerId, secret }: WorkerCredentials): string {
  return `Worker ${workerId}:${secret}`;
}

/** The credentials of an Authorization header of workers; undefined where it is another one. */
export function readWorkerAuthorization(header: string | undefined): WorkerCredentials | undefined {
  const [, workerId, secret] = /^Worker ([^\s:]{1,128}):(\S{1,128})$/i.exec(header ?? '') ?? [];
  return workerId === undefined || secret === undefined ? undefined : { workerId, secret };
}
