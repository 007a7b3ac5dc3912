// A volunteer that runs tabgrad's own programs honestly, and then says what a test has it say in place of the answer.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { builtinPrograms } from '../../../client/program/builtinPrograms.ts';
import { programForms, type ProgramMethods } from '../../../client/program/programForms.ts';
import type { Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { CarriedCheckpoint } from '../../../shared/program/carriedCheckpoint.ts';
import {
  decodeProgramFrame,
  encodeProgramFrame,
  frameValue,
  type DecodedFrame,
} from '../../../shared/program/programFrame.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/control.ts';
import { PROGRAM_PATH, toProgram, type OpenProgram } from '../../../shared/protocol/program.ts';

export interface Volunteer extends AsyncDisposable {
  readonly workerId: string;
  /** Calls that it was given. */
  readonly calls: number;
}

interface Welcome {
  readonly workerId: string;
  readonly secret: string;
}

/** @param lie makes what it says of the right answer; undefined closes its socket instead. */
export async function handMadeVolunteer(
  { url, tokens }: Coordinator,
  lie: (right: unknown, method: string, args: readonly unknown[]) => unknown = (right) => right,
): Promise<Volunteer> {
  const at = (path: string): string => new URL(path, url.replace('http', 'ws')).href;
  const control = new WebSocket(at('/control'));
  const sockets = [control];
  let calls = 0;
  const say = (message: object): void => control.send(JSON.stringify(message));
  await once(control, 'open');
  const welcome = new Promise<Welcome>((resolve) =>
    control.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Welcome & { type: string; instanceId: string };
      if (message.type === 'welcome') resolve(message);
      if (message.type === 'openProgram') void dial(message.instanceId);
    }),
  );
  const device = { kind: 'cpu', name: 'by hand' };
  const token = tokens.join;
  const programs = 'builtin';
  say({ type: 'hello', protocol: PROTOCOL_VERSION, token, runtime: 'node', device, cores: 4, programs });
  const { workerId, secret } = await welcome;
  say({ type: 'available', peerId: workerId });

  async function fetchBlob(sha256: string): Promise<Uint8Array> {
    const headers = { authorization: `Bearer ${tokens.admin}` };
    const response = await fetch(new URL(`/blobs/${sha256}`, url), { headers });
    if (!response.ok) throw new Error(`blob ${sha256}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  async function dial(instanceId: string): Promise<void> {
    const socket = new WebSocket(at(PROGRAM_PATH));
    sockets.push(socket);
    socket.on('error', () => undefined);
    let program: Promise<ProgramMethods>;
    let form = 'plain';
    socket.on('open', () => socket.send(JSON.stringify({ type: 'join', workerId, secret, instanceId })));
    socket.on('message', (bytes: Buffer) => {
      const frame = decodeProgramFrame(new Uint8Array(bytes), toProgram);
      const { message } = frame;
      if (message.type === 'open') {
        form = message.form;
        program = open(frame as DecodedFrame<OpenProgram>, fetchBlob);
        void program.then(() => socket.send(encodeProgramFrame({ type: 'opened' }, undefined, '')));
      }
      if (message.type === 'call') void answer(message.call, message.method, frameValue(frame) as unknown[]);
    });
    const answer = async (call: number, method: string, args: unknown[]): Promise<void> => {
      calls += 1;
      const run = programForms.get(form)!;
      const right = await run(await program, method, args, new AbortController().signal);
      const said = await lie(right, method, args);
      if (said === undefined && right !== undefined) return socket.close();
      socket.send(encodeProgramFrame({ type: 'answer', call, computeMs: 1 }, said, 'the answer'));
    };
  }
  return {
    workerId,
    get calls() {
      return calls;
    },
    async [Symbol.asyncDispose]() {
      // One that was sent away has none any more.
      const closed = control.readyState === WebSocket.CLOSED ? undefined : once(control, 'close');
      for (const socket of sockets) socket.close();
      await closed;
    },
  };
}

async function open(
  frame: DecodedFrame<OpenProgram>,
  fetchBlob: (sha256: string) => Promise<Uint8Array>,
): Promise<ProgramMethods> {
  const { program, checkpoints } = frame.message;
  if (program.kind !== 'builtin') throw new Error('a volunteer made by hand runs no code of owners');
  const carried = await Promise.all(
    checkpoints.map(async (files) => {
      const fetched = files.map(async ({ name, sha256 }) => [name, await fetchBlob(sha256)] as const);
      return new CarriedCheckpoint(new Map(await Promise.all(fetched)));
    }),
  );
  const args = frameValue(frame, { revive: (index) => carried[index as number] });
  const ProgramMethods = builtinPrograms.get(program.name)!;
  return new ProgramMethods(...(args as never[])) as ProgramMethods;
}
