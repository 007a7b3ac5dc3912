// A group of members inside one process, joined by memory links, for every suite that needs collectives.

import { LinkCollective, type LinkCollectiveOptions } from '../../../client/collective/linkCollective.ts';
import type { Link } from '../../../client/transport/link.ts';
import { memoryLinkPair, type MemoryLinkOptions } from '../../../client/transport/memoryLink.ts';

export interface TestGroup {
  readonly members: readonly string[];
  /** links[r] are those that rank r holds. */
  readonly links: readonly Map<string, Link>[];
  readonly collectives: readonly LinkCollective[];
}

function memberNames(size: number): string[] {
  return Array.from({ length: size }, (_, rank) => `worker-${rank}`);
}

export function memoryGroup(
  size: number,
  linkOptions: MemoryLinkOptions = {},
  options: Partial<LinkCollectiveOptions> = {},
): TestGroup {
  const members = memberNames(size);
  const links = members.map(() => new Map<string, Link>());
  for (let low = 0; low < size; low += 1) {
    for (let high = low + 1; high < size; high += 1) {
      const [lower, higher] = memoryLinkPair(`worker-${low}`, `worker-${high}`, linkOptions);
      links[low]?.set(`worker-${high}`, lower);
      links[high]?.set(`worker-${low}`, higher);
    }
  }
  return groupOver(members, links, options);
}

export function groupOver(
  members: readonly string[],
  links: readonly Map<string, Link>[],
  options: Partial<LinkCollectiveOptions> = {},
): TestGroup {
  const collectives = members.map(
    (_, rank) =>
      new LinkCollective({
        rank,
        members,
        links: links[rank] as Map<string, Link>,
        generation: 7,
        timeoutMs: 20_000,
        ...options,
      }),
  );
  return { members, links, collectives };
}
