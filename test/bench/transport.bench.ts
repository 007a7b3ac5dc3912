// All-reduce between Node processes over WebRTC, beside the rate of the raw data channels under it, measured in the same
// run with the same traffic: every member sends to every other at once. `npm run bench:transport -- --quick`.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { LinkCollective } from '../../client/collective/linkCollective.ts';
import type { Link } from '../../client/transport/link.ts';
import { checksum32 } from '../../shared/wire/checksum.ts';
import { nodeConnector } from '../client/transport/fixtures/nodeMember.ts';
import { peerIdOf } from '../client/transport/fixtures/memberProgram.ts';
import { startSignalling, type SignallingServer } from '../client/transport/fixtures/signallingServer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const MEMBER_DEADLINE_MS = 240_000;

interface Plan {
  readonly url: string;
  readonly self: string;
  readonly members: readonly string[];
  readonly sizes: readonly number[];
  readonly rawBytes: number;
  readonly repeats: number;
}

interface Measured {
  /** Bytes per second that this member sent while all links were busy both ways, best of the repeats. */
  readonly rawRate: number;
  /** Milliseconds of the median all-reduce, one for each size. */
  readonly medianMs: readonly number[];
}

/** @param only Size of the one group to measure; NaN for all. */
async function runBench(quick: boolean, only: number): Promise<void> {
  const allSizes = quick ? [2, 3] : [2, 3, 4];
  const groupSizes = Number.isNaN(only) ? allSizes : [only];
  const sizes = quick ? [64 * KIB, MIB, 16 * MIB] : [64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB];
  console.log(
    `All-reduce over WebRTC data channels, Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model}`,
  );
  console.log(`XXH32 of frames: ${checksumRate().toFixed(0)} MB/s. MB = 10^6 bytes sent by one member.`);
  for (const size of groupSizes) {
    const server = await startSignalling();
    try {
      const measured = await measureGroup(server, size, sizes, quick);
      printGroup(size, sizes, measured);
      if (server.relay.stats.bytesRelayed > 0)
        console.log('  some of it went through the relay: not a direct rate');
    } finally {
      await server.close();
    }
  }
}

async function measureGroup(
  server: SignallingServer,
  size: number,
  sizes: readonly number[],
  quick: boolean,
): Promise<Measured[]> {
  const members = Array.from({ length: size }, (_, rank) => `member-${rank}`);
  const children: ChildProcess[] = [];
  try {
    return await Promise.all(
      members.map(async (self) => {
        const rawBytes = (quick ? 16 : 48) * MIB;
        const plan: Plan = { url: server.url, self, members, sizes, rawBytes, repeats: quick ? 3 : 5 };
        const child = fork(import.meta.filename, ['--member', JSON.stringify(plan)], {
          execArgv: ['--import', 'tsx'],
          timeout: MEMBER_DEADLINE_MS,
        });
        children.push(child);
        const [message] = (await Promise.race([
          once(child, 'message'),
          once(child, 'exit').then(() => Promise.reject(new Error(`${self} ended without a result`))),
        ])) as [Measured];
        return message;
      }),
    );
  } finally {
    for (const child of children) child.kill();
  }
}

function printGroup(size: number, sizes: readonly number[], measured: readonly Measured[]): void {
  const rawRate = mean(measured.map((one) => one.rawRate));
  console.log(`\n${size} members; raw channels, all at once: ${(rawRate / 1e6).toFixed(1)} MB/s a member`);
  console.log('      size   all-reduce        MB/s   share of raw');
  for (const [at, bytes] of sizes.entries()) {
    const ms = mean(measured.map((one) => one.medianMs[at] as number));
    const rate = (2 * (size - 1) * bytes) / size / (ms / 1000);
    const label = bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
    const share = `${((100 * rate) / rawRate).toFixed(0)} %`;
    console.log(
      `${label.padStart(10)} ${`${ms.toFixed(1)} ms`.padStart(12)} ${(rate / 1e6).toFixed(1).padStart(11)} ${share.padStart(14)}`,
    );
  }
}

async function runMember(plan: Plan): Promise<void> {
  const { self, members } = plan;
  const rank = members.indexOf(self);
  const connector = await nodeConnector({ url: plan.url } as SignallingServer, self);
  const others = members.filter((member) => member !== self);
  const connect = (group: string): Promise<Map<string, Link>> =>
    connector.connect(
      others.map((workerId) => ({ workerId, peerId: peerIdOf(workerId) })),
      { group },
    );
  const links = await connect('reduce');
  const collective = new LinkCollective({ rank, members, links, generation: 1 });
  const rawLinks = await connect('raw');
  const raw = new Map([...rawLinks.values()].map((link) => [link, new Arrivals(link)]));
  const rawRates: number[] = [];
  for (let repeat = 0; repeat < plan.repeats; repeat += 1) {
    await collective.barrier();
    rawRates.push(await rawRate(raw, plan.rawBytes));
  }
  const medianMs: number[] = [];
  for (const bytes of plan.sizes) {
    const data = new Float32Array(bytes / 4).fill(rank);
    const times: number[] = [];
    // Small ones are over in a few milliseconds: more of them, and the first two warm up.
    const repeats = bytes <= MIB ? plan.repeats * 8 : plan.repeats;
    for (let repeat = -2; repeat < repeats; repeat += 1) {
      await collective.barrier();
      const start = performance.now();
      await collective.allReduce(data);
      if (repeat >= 0) times.push(performance.now() - start);
    }
    medianMs.push(median(times));
  }
  await collective.barrier();
  process.send?.({ rawRate: Math.max(...rawRates), medianMs } satisfies Measured, () => process.exit(0));
}

/** Counts what arrives on one link, from before the first byte on. */
class Arrivals {
  #bytes = 0;
  #target = 0;
  #reached: () => void = () => undefined;

  constructor(link: Link) {
    link.onMessage((message) => {
      this.#bytes += message.length;
      if (this.#bytes >= this.#target) this.#reached();
    });
  }

  /** Resolves when `bytes` more than at the last call have arrived. */
  async more(bytes: number): Promise<void> {
    this.#target += bytes;
    if (this.#bytes < this.#target) await new Promise<void>((resolve) => (this.#reached = resolve));
  }
}

/** Sends to everybody at once, split evenly, and receives as much; in messages as large as frames are. */
async function rawRate(links: ReadonlyMap<Link, Arrivals>, bytes: number): Promise<number> {
  const perLink = Math.ceil(bytes / links.size);
  const start = performance.now();
  await Promise.all(
    [...links].map(async ([link, arrivals]) => {
      const arrived = arrivals.more(perLink);
      const message = new Uint8Array(link.maxMessageBytes);
      for (let sent = 0; sent < perLink; sent += message.length) {
        await link.send(message.subarray(0, Math.min(message.length, perLink - sent)));
      }
      await arrived;
    }),
  );
  return (perLink * links.size) / ((performance.now() - start) / 1000);
}

function checksumRate(): number {
  const frame = new Uint8Array(256 * KIB);
  let rounds = 0;
  const start = performance.now();
  while (performance.now() - start < 200) {
    checksum32(frame);
    rounds += 1;
  }
  return (rounds * frame.length) / 1e6 / ((performance.now() - start) / 1000);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const [role, encodedPlan] = process.argv.slice(2);
if (role === '--member') await runMember(JSON.parse(encodedPlan as string) as Plan);
else
  await runBench(
    process.argv.includes('--quick'),
    Number(/--members=(\d+)/.exec(process.argv.join(' '))?.[1]),
  );
