// A picture on a canvas: as wide as its place, sharp on any screen, in the colours of the page, and drawn again when what it
// shows, its width or the system's theme changes.

/// <reference types="vite/client" />

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import './canvas.css';
import { Scroll } from './parts.browser.tsx';

/** The colours of the page as numbers. */
export interface Palette {
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly accent: string;
  readonly good: string;
  readonly bad: string;
  readonly wait: string;
  /** The ground that pictures lie on. */
  readonly card: string;
  /** Between the quiet colour (0) and the accent (1). */
  readonly shade: (strength: number) => string;
}

export interface Drawing {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
}

export interface Spot {
  /** Pixels from the upper left corner. */
  readonly x: number;
  readonly y: number;
}

interface CanvasProps {
  readonly id: string;
  /** What it shows, in words: screen readers are told this alone. */
  readonly label: string;
  readonly height: number;
  readonly minWidth?: number;
  readonly draw: (drawing: Drawing) => void;
  readonly onMove?: (spot: Spot | undefined, width: number) => void;
  readonly onDown?: (spot: Spot, width: number) => void;
  readonly onUp?: (spot: Spot, width: number) => void;
}

export function Canvas({
  id,
  label,
  height,
  minWidth = 0,
  draw,
  onMove,
  onDown,
  onUp,
}: CanvasProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef(draw);
  last.current = draw;
  const drawnWidth = useRef(-1);
  const paint = (): void => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context) return;
    const width = element.clientWidth;
    drawnWidth.current = width;
    const ratio = devicePixelRatio;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== across || element.height !== down) [element.width, element.height] = [across, down];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    context.lineJoin = 'round';
    last.current({ context, width, height, palette: paletteOf(element) });
  };
  useEffect(paint, [draw, height]);
  useEffect(() => {
    // It tells of the first width too, which is drawn already.
    const resized = new ResizeObserver(() => {
      if (canvas.current?.clientWidth !== drawnWidth.current) paint();
    });
    if (canvas.current) resized.observe(canvas.current);
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', paint);
    return () => {
      resized.disconnect();
      theme.removeEventListener('change', paint);
    };
  }, []);
  const told =
    (to: ((spot: Spot, width: number) => void) | undefined) =>
    ({ offsetX, offsetY, currentTarget }: PointerEvent & { currentTarget: HTMLCanvasElement }): void =>
      to?.({ x: offsetX, y: offsetY }, currentTarget.clientWidth);
  return (
    <Scroll>
      <canvas
        id={id}
        ref={canvas}
        class="picture"
        role="img"
        aria-label={label}
        style={{ height: `${height}px`, minWidth: `${minWidth}px` }}
        onPointerMove={told(onMove)}
        onPointerLeave={({ currentTarget }) => onMove?.(undefined, currentTarget.clientWidth)}
        onPointerDown={told(onDown)}
        onPointerUp={told(onUp)}
      />
    </Scroll>
  );
}

type Rgb = readonly [number, number, number];

/** Custom properties are text that names other colours: only a real property has the number. */
function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement('span');
  element.append(probe);
  const read = (name: string): Rgb => {
    probe.style.color = `var(${name})`;
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue];
  };
  const [ink, quiet, line] = [read('--ink'), read('--quiet'), read('--line')];
  const [accent, good, bad, card] = [read('--accent'), read('--good'), read('--bad'), read('--card')];
  const wait = read('--wait');
  probe.remove();
  const css = (colour: Rgb): string => `rgb(${colour.map(Math.round).join(' ')})`;
  const between = (from: Rgb, to: Rgb, share: number): string =>
    css(from.map((part, i) => part + share * (to[i]! - part)) as unknown as Rgb);
  // Quiet, but seen on the ground.
  const weak = line.map((part, i) => (part + quiet[i]!) / 2) as unknown as Rgb;
  return {
    ink: css(ink),
    quiet: css(quiet),
    line: css(line),
    accent: css(accent),
    good: css(good),
    bad: css(bad),
    wait: css(wait),
    card: css(card),
    shade: (strength) => between(weak, accent, Math.min(1, Math.max(0, strength))),
  };
}
