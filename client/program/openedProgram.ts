// One program on this worker, from the coordinator's wish until its socket or its thread ends.

import { TabgradError } from '../../kernels/errors.ts';
import { decodeProgramFrame, encodeProgramFrame } from '../../shared/program/programFrame.ts';
import {
  PROGRAM_PATH,
  toProgram,
  type OpenProgram,
  type ProgramJoin,
} from '../../shared/protocol/program.ts';
import { deferred } from '../../shared/deferred.ts';
import type { ByteSocket } from './byteSocket.ts';
import { ownerError } from '../thread/ownerError.ts';
import type { OwnerThread } from '../thread/threadPort.ts';
import type { ThreadStart, ToProgramThread } from './threadMessages.ts';
import { socketUrl } from '../transport/socketUrl.ts';
import type { OpenOwnerThread } from '../thread/threadPort.ts';
import type { FetchBlob } from '../blobs/blobFetcher.ts';

export interface ProgramEnvironment {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly origin: string;
  readonly workerId: string;
  /** The secret of the welcome. */
  readonly secret: string;
  readonly openSocket: (url: string) => ByteSocket;
  readonly openThread: OpenOwnerThread;
  readonly fetchBlob: FetchBlob;
  /** Whether programs of owners may run here, or those that every worker has alone. */
  readonly runsOwnersCode: boolean;
  /** Share of the time that is lent, in (0, 1]. */
  readonly share: () => number;
  readonly log: (line: string) => void;
  /** The number of open programs changed. */
  readonly onChange: () => void;
}

/** This worker does not run the program. */
class ProgramRefusedError extends TabgradError {
  readonly code = 'PROGRAM_REFUSED';
}

/** The one close code that browsers let a page send, besides those without a meaning. */
const NORMAL_CLOSE = 1000;

export class OpenedProgram {
  /** Resolves with the reason when socket and thread are gone. Never rejects. */
  readonly ended: Promise<string>;
  readonly #environment: ProgramEnvironment;
  readonly #socket: ByteSocket;
  readonly #ended = deferred<string>();
  /** Fires at the end: nothing more is fetched then. */
  readonly #over = new AbortController();
  #thread: OwnerThread | undefined;
  /** tabgrad's own programs compute on GPUs. */
  #isBuiltin = false;
  #isOpening = false;

  constructor(instanceId: string, environment: ProgramEnvironment) {
    this.#environment = environment;
    this.ended = this.#ended.promise;
    const { origin, workerId, secret } = environment;
    this.#socket = environment.openSocket(socketUrl(origin, PROGRAM_PATH));
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => {
      this.#socket.send(JSON.stringify({ type: 'join', workerId, secret, instanceId } satisfies ProgramJoin));
    };
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = ({ reason }) => this.#end(reason || 'the coordinator closed its socket');
    // A close event follows every error event.
    this.#socket.onerror = () => {};
  }

  lendShare(share: number): void {
    this.#thread?.post({ type: 'share', share } satisfies ToProgramThread, []);
  }

  close(reason: string): void {
    if (this.#over.signal.aborted) return;
    // A close reason is limited to 123 bytes.
    this.#socket.close(NORMAL_CLOSE, reason.slice(0, 40));
    this.#end(reason);
  }

  #receive(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.close('frames are binary');
    if (this.#thread) this.#thread.post({ type: 'frame', frame: data } satisfies ToProgramThread, [data]);
    else if (this.#isOpening) this.close('a frame came before the program was open');
    else {
      this.#isOpening = true;
      void this.#open(data);
    }
  }

  async #open(frame: ArrayBuffer): Promise<void> {
    try {
      const { message } = decodeProgramFrame(new Uint8Array(frame), toProgram);
      if (message.type !== 'open') throw new ProgramRefusedError('The first frame must open the program.');
      const start = await this.#gather(frame, message);
      if (this.#over.signal.aborted) return;
      this.#start(start);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      this.#socket.send(
        encodeProgramFrame({ type: 'failed', error: ownerError(error, undefined) }, undefined, '').buffer,
      );
    }
  }

  /** Everything that the program is made of, verified. */
  async #gather(frame: ArrayBuffer, { program, checkpoints }: OpenProgram): Promise<ThreadStart> {
    const { fetchBlob, runsOwnersCode, share } = this.#environment;
    const { signal } = this.#over;
    if (program.kind === 'module' && !runsOwnersCode) {
      throw new ProgramRefusedError(
        'This worker does not run code of owners; start it with "tabgrad worker --allow-code".',
      );
    }
    const bundle =
      program.kind === 'module' &&
      (await fetchBlob(program.bundle, { sizeBytes: program.sizeBytes, signal }));
    const files = checkpoints.map((checkpoint) =>
      Promise.all(
        checkpoint.map(async ({ name, sha256, sizeBytes }) => ({
          name,
          bytes: await fetchBlob(sha256, { sizeBytes, signal }),
        })),
      ),
    );
    return {
      type: 'start',
      frame,
      source: bundle ? new TextDecoder().decode(bundle) : undefined,
      checkpoints: await Promise.all(files),
      share: share(),
    };
  }

  #start(start: ThreadStart): void {
    const thread = this.#environment.openThread((frame) => {
      // The thread's own messages are frames; whatever else comes is the owner's code's.
      if (frame instanceof ArrayBuffer) this.#socket.send(frame);
    });
    this.#thread = thread;
    this.#isBuiltin = start.source === undefined;
    void thread.ended.then((how) => this.close(how));
    thread.post(start, [start.frame]);
  }

  #end(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#thread?.terminate(this.#isBuiltin ? 'gently' : 'at once');
    void (this.#thread?.ended ?? Promise.resolve()).then(() => this.#ended.resolve(reason));
  }
}
