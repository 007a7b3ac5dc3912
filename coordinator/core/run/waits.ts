// Who holds a group up that stood still, by what its members say for whom each of them waits. One of them may lie: so the waits
// are followed to where they end. A member for whom all wait, and which itself waits for another, may be held up by that
// one, or only say so: which of the two is unknown, so that is a quarrel and no proof against either.

/** By member: for whom it was waiting. */
export type Waits = ReadonlyMap<string, readonly string[]>;

/** Names that count of one answer: who waits for more is cut off itself. */
export const MOST_NAMED = 64;

/** Who says it, and of whom. */
export type Accusation = readonly [accuser: string, accused: string];

export type WaitVerdict =
  /** Most waited for it, and it waited for no other. Proven where most say so themselves, not by way of others. */
  | { readonly type: 'culprit'; readonly workerId: string; readonly isProven: boolean }
  /** Most waited for these, who wait for one another. */
  | { readonly type: 'quarrel'; readonly accusations: readonly Accusation[] }
  /** Most waits end at a member that has left, or at different members. */
  | { readonly type: 'open'; readonly accusations: readonly Accusation[] };

/** @param here members that are still there; only their word counts, and only they are judged. */
export function judgeWaits(here: readonly string[], waits: Waits): WaitVerdict {
  const isHere = new Set(here);
  const ends = endsOf(waits);
  const namers = namersOf(waits, isHere);
  const isNamedByMost = (workerId: string): boolean => 2 * (namers.get(workerId) ?? 0) > here.length - 1;
  for (const { members, waiting } of ends) {
    const others = [...waiting].filter((workerId) => isHere.has(workerId) && !members.has(workerId)).length;
    const own = [...members].filter((workerId) => isHere.has(workerId)).length;
    const [only = ''] = members;
    if (members.size === 1 && own === 1 && 2 * others > here.length - 1)
      return { type: 'culprit', workerId: only, isProven: isNamedByMost(only) };
    if (members.size > 1 && 2 * (others + own) > here.length) {
      const said = accusationsOf(waits, members, isHere).filter(([accuser]) => members.has(accuser));
      // What most say of one is no quarrel: it does not deny that it waits.
      const denied = said.filter(([, accused]) => !isNamedByMost(accused));
      return { type: 'quarrel', accusations: denied.length > 0 ? denied : said };
    }
  }
  const endings = new Set(ends.flatMap(({ members }) => [...members]));
  return { type: 'open', accusations: accusationsOf(waits, endings, isHere) };
}

/** What members that are here say of some of those that are. */
function accusationsOf(
  waits: Waits,
  ofThese: ReadonlySet<string>,
  isHere: ReadonlySet<string>,
): Accusation[] {
  return [...waits].flatMap(([accuser, named]) =>
    isHere.has(accuser)
      ? named.filter((id) => ofThese.has(id) && isHere.has(id)).map((id): Accusation => [accuser, id])
      : [],
  );
}

/** How many members that are here wait for each. */
function namersOf(waits: Waits, isHere: ReadonlySet<string>): ReadonlyMap<string, number> {
  const namers = new Map<string, number>();
  for (const [id, named] of waits)
    if (isHere.has(id)) for (const next of named) namers.set(next, (namers.get(next) ?? 0) + 1);
  return namers;
}

interface End {
  /** One that waits for no other, or several of whom each waits for all others by way of others. */
  readonly members: ReadonlySet<string>;
  /** Those whose waits lead here. */
  readonly waiting: ReadonlySet<string>;
}

/** Where waits end: the strongly connected components (Kosaraju's algorithm) that nothing leads out of, and something into. */
function endsOf(waits: Waits): End[] {
  const namedBy = reversed(waits);
  const components: ReadonlySet<string>[] = [];
  const assigned = new Set<string>();
  for (const id of finishOrder(waits).reverse()) {
    if (assigned.has(id)) continue;
    const component = new Set([id, ...leadingTo(namedBy, [id], assigned)]);
    for (const member of component) assigned.add(member);
    components.push(component);
  }
  const isEnd = (component: ReadonlySet<string>): boolean =>
    [...component].every((id) => (waits.get(id) ?? []).every((next) => component.has(next)));
  return components
    .filter(isEnd)
    .map((members) => ({ members, waiting: leadingTo(namedBy, members, new Set()) }))
    .filter(({ waiting }) => waiting.size > 0);
}

/** All that are named, each after those for whom it waits. Without recursion: a chain may be as long as a group is large. */
function finishOrder(waits: Waits): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  for (const start of waits.keys()) {
    const path: { readonly id: string; readonly left: Iterator<string> }[] = [];
    const enter = (id: string): void => {
      if (seen.has(id)) return;
      seen.add(id);
      path.push({ id, left: (waits.get(id) ?? []).values() });
    };
    enter(start);
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const next = last.left.next();
      if (next.done !== true) enter(next.value);
      else order.push(path.pop()!.id);
    }
  }
  return order;
}

function reversed(waits: Waits): Map<string, string[]> {
  const namedBy = new Map<string, string[]>();
  for (const [id, named] of waits) {
    for (const next of named) {
      const list = namedBy.get(next);
      if (list) list.push(id);
      else namedBy.set(next, [id]);
    }
  }
  return namedBy;
}

/** Those who wait for one of these, or for one who does, except by way of some. */
function leadingTo(
  namedBy: ReadonlyMap<string, readonly string[]>,
  workerIds: Iterable<string>,
  except: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>();
  const left = [...workerIds];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    for (const before of namedBy.get(id) ?? []) {
      if (found.has(before) || except.has(before)) continue;
      found.add(before);
      left.push(before);
    }
  }
  return found;
}
