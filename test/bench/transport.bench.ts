// All-reduce between Node processes over WebRTC, beside the raw data channels under it, measured in turns in the same run:
// one raw pair while the others rest; the raw mesh, in which every member moves as many bytes as the all-reduce does and
// all do so at once; and the raw round trip, which no all-reduce of two hops can beat.
// `npm run bench:transport -- [--quick] [--members=N]`.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { LinkCollective } from '../../client/collective/linkCollective.ts';
import type { Link } from '../../client/transport/link.ts';
import { checksum32 } from '../../shared/wire/checksum.ts';
import { FRAME_HEADER_BYTES } from '../../shared/wire/frame.ts';
import { nodeConnector } from '../client/transport/fixtures/nodeMember.ts';
import { addressOf } from '../client/transport/fixtures/memberProgram.ts';
import { startSignalling, type SignallingServer } from '../client/transport/fixtures/signallingServer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const MEMBER_DEADLINE_MS = 240_000;

interface Plan {
  readonly url: string;
  readonly self: string;
  readonly members: readonly string[];
  readonly sizes: readonly number[];
  readonly repeats: number;
}

interface Measured {
  /** Median milliseconds, one for each size: the raw mesh, and the all-reduce. */
  readonly meshMs: readonly number[];
  readonly reduceMs: readonly number[];
  /** Of the first two members: bytes per second each sent while nobody else did, and the median round trip. */
  readonly pairRate: number;
  readonly roundTripMs: number;
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
        const plan: Plan = { url: server.url, self, members, sizes, repeats: quick ? 3 : 5 };
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
  const pairRate = mean(measured.slice(0, 2).map((one) => one.pairRate));
  const roundTripMs = mean(measured.slice(0, 2).map((one) => one.roundTripMs));
  console.log(
    `\n${size} members; one raw pair alone: ${(pairRate / 1e6).toFixed(1)} MB/s a member each way, round trip ${roundTripMs.toFixed(2)} ms`,
  );
  console.log(
    '      size   all-reduce     MB/s   raw mesh   share of mesh   of one pair   of the round trip',
  );
  for (const [at, bytes] of sizes.entries()) {
    const reduceMs = mean(measured.map((one) => one.reduceMs[at] as number));
    const meshMs = mean(measured.map((one) => one.meshMs[at] as number));
    const moved = movedBytes(size, bytes);
    const rate = moved / (reduceMs / 1000);
    const share = (part: number): string => `${(100 * part).toFixed(0)} %`;
    const label = bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
    console.log(
      `${label.padStart(10)} ${`${reduceMs.toFixed(1)} ms`.padStart(12)} ${(rate / 1e6).toFixed(1).padStart(8)} ${(moved / meshMs / 1000).toFixed(1).padStart(10)} ${share(meshMs / reduceMs).padStart(15)} ${share(rate / pairRate).padStart(13)} ${share(roundTripMs / reduceMs).padStart(19)}`,
    );
  }
}

/** What one member sends in an all-reduce of `bytes`. */
function movedBytes(size: number, bytes: number): number {
  return (2 * (size - 1) * bytes) / size;
}

async function runMember(plan: Plan): Promise<void> {
  const { self, members } = plan;
  const rank = members.indexOf(self);
  const connector = await nodeConnector({ url: plan.url } as SignallingServer, self);
  const others = members.filter((member) => member !== self);
  const connect = (group: string): Promise<Map<string, Link>> =>
    connector.connect(others.map(addressOf), { group });
  const collective = new LinkCollective({ rank, members, links: await connect('reduce'), generation: 1 });
  const rawLinks = await connect('raw');
  const raw = new Map([...rawLinks.values()].map((link) => [link, new Arrivals(link)]));

  const pair = new Map([...raw].filter(([link]) => rank < 2 && members.indexOf(link.peer) < 2));
  const pairMs: number[] = [];
  const roundTrips: number[] = [];
  for (let repeat = 0; repeat < plan.repeats; repeat += 1) {
    await collective.barrier();
    pairMs.push(await timed(() => exchangeRaw(pair, 8 * MIB)));
    for (let trip = 0; trip < 20 && pair.size > 0; trip += 1) {
      roundTrips.push(await timed(() => roundTrip(pair, rank)));
    }
  }
  const meshMs: number[] = [];
  const reduceMs: number[] = [];
  for (const bytes of plan.sizes) {
    const data = new Float32Array(bytes / 4).fill(rank);
    const moved = movedBytes(members.length, bytes);
    const [meshTimes, reduceTimes]: [number[], number[]] = [[], []];
    // Small ones are over in a few milliseconds: more of them, and the first two warm up.
    const repeats = bytes <= MIB ? plan.repeats * 8 : bytes > 16 * MIB ? 2 : 3;
    for (let repeat = bytes > 16 * MIB ? 0 : -2; repeat < repeats; repeat += 1) {
      await collective.barrier();
      const mesh = await timed(() => exchangeRaw(raw, moved));
      await collective.barrier();
      const reduce = await timed(() => collective.allReduce(data));
      if (repeat < 0) continue;
      meshTimes.push(mesh);
      reduceTimes.push(reduce);
    }
    meshMs.push(median(meshTimes));
    reduceMs.push(median(reduceTimes));
  }
  await collective.barrier();
  const pairRate = pair.size > 0 ? (8 * MIB) / (Math.min(...pairMs) / 1000) : 0;
  const roundTripMs = pair.size > 0 ? median(roundTrips) : 0;
  process.send?.({ meshMs, reduceMs, pairRate, roundTripMs } satisfies Measured, () => process.exit(0));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
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
async function exchangeRaw(links: ReadonlyMap<Link, Arrivals>, bytes: number): Promise<void> {
  const perLink = Math.ceil(bytes / links.size);
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
}

/** One message there and one back, each as small as a frame can be. */
async function roundTrip(links: ReadonlyMap<Link, Arrivals>, rank: number): Promise<void> {
  for (const [link, arrivals] of links) {
    const arrived = arrivals.more(FRAME_HEADER_BYTES);
    if (rank === 0) await link.send(new Uint8Array(FRAME_HEADER_BYTES));
    await arrived;
    if (rank !== 0) await link.send(new Uint8Array(FRAME_HEADER_BYTES));
  }
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
