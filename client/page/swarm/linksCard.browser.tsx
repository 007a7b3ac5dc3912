// Who is linked to whom: the groups of the runs as rings, with the links that their members told of.

import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { WorkerLinks } from '../../../shared/api/workerAnswers.ts';
import { Canvas, type Drawing, type Spot } from '../design/canvas.browser.tsx';
import { Card } from '../design/parts.browser.tsx';
import { dashboardEn } from '../words/dashboardEn.ts';
import type { Api } from '../owner/api.browser.ts';
import { ringLayout } from './ring.ts';

const words = dashboardEn.swarm;
const LOOK_EVERY_MS = 5_000;
const HEIGHT = 320;
const NEAR_PIXELS = 14;
const RELAYED = 1;

interface LinksCardProps {
  readonly api: Api;
  /** Any worker is in a run. */
  readonly isAnyInRun: boolean;
  readonly nameOf: (runId: string) => string;
}

export function LinksCard({ api, isAnyInRun, nameOf }: LinksCardProps): JSX.Element {
  const links = useLinks(api, isAnyInRun);
  return (
    <Card title={words.linksTitle} id="links-title">
      {links && links.workers.length > 0 ? (
        <LinksPlot links={links} nameOf={nameOf} />
      ) : (
        <p class="note">{words.noLinks}</p>
      )}
    </Card>
  );
}

function LinksPlot({
  links,
  nameOf,
}: { readonly links: WorkerLinks } & Pick<LinksCardProps, 'nameOf'>): JSX.Element {
  const [pointed, setPointed] = useState<number>();
  const relayed = useMemo(() => links.links.filter(([, , path]) => path === RELAYED).length, [links]);
  const draw = useCallback(
    ({ context, width, height, palette }: Drawing): void => {
      const { rings, spots } = ringLayout(links.workers, width, height);
      for (const [path, colour, alpha] of [
        [0, palette.accent, Math.max(0.06, Math.min(0.5, 40 / Math.max(1, links.links.length)))],
        [RELAYED, palette.wait, 0.8],
      ] as const) {
        context.strokeStyle = colour;
        context.lineWidth = 1;
        context.globalAlpha = alpha;
        context.beginPath();
        for (const [from, to, over] of links.links) {
          const [a, b] = [spots[from], spots[to]];
          if (over !== path || !a || !b) continue;
          context.moveTo(a.x, a.y);
          context.lineTo(b.x, b.y);
        }
        context.stroke();
      }
      context.globalAlpha = 1;
      context.fillStyle = palette.ink;
      context.beginPath();
      for (const { x, y } of spots) {
        context.moveTo(x + 3.5, y);
        context.arc(x, y, 3.5, 0, 2 * Math.PI);
      }
      context.fill();
      context.fillStyle = palette.quiet;
      context.textAlign = 'center';
      context.textBaseline = 'bottom';
      for (const { runId, x, y, radius } of rings)
        context.fillText(nameOf(runId).slice(0, 24), x, Math.max(12, y - radius - 6));
    },
    [links, nameOf],
  );
  const near = (spot: Spot, width: number): number | undefined => {
    const { spots } = ringLayout(links.workers, width, HEIGHT);
    const away = spots.map(({ x, y }) => Math.hypot(x - spot.x, y - spot.y));
    const least = Math.min(...away);
    return least < NEAR_PIXELS ? away.indexOf(least) : undefined;
  };
  const told = pointed === undefined ? undefined : links.workers[pointed];
  const of = (path: number): number =>
    links.links.filter(([a, b, over]) => (a === pointed || b === pointed) && over === path).length;
  return (
    <figure class="plot">
      <Canvas
        id="links"
        label={words.linksLabel(links.workers.length, links.links.length - relayed, relayed)}
        height={HEIGHT}
        draw={draw}
        onMove={(spot, width) => setPointed(spot && near(spot, width))}
      />
      <figcaption class="note">
        {told
          ? `${told.workerId}: ${words.linked(of(0), of(RELAYED))}`
          : words.linksLabel(links.workers.length, links.links.length - relayed, relayed)}
      </figcaption>
    </figure>
  );
}

/** The same value as long as nothing has changed. */
function useLinks(api: Api, isAsked: boolean): WorkerLinks | undefined {
  const [text, setText] = useState<string>();
  useEffect(() => {
    if (!isAsked) return setText(undefined);
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      // What fails is told by the look at the workers, which asks at the same coordinator.
      const answer = await api.get<WorkerLinks>('/api/v1/workers/links', over.signal).catch(() => undefined);
      if (over.signal.aborted) return;
      if (answer) setText(JSON.stringify(answer));
      timer = setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    void look();
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [api, isAsked]);
  return useMemo(() => (text === undefined ? undefined : (JSON.parse(text) as WorkerLinks)), [text]);
}
