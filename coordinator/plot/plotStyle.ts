// Colours and sizes of plots, by the light or dark setting of whoever looks at them.

/** For the document of plots, SVG or HTML; its element has the class "plot". */
export const plotStyle = `.plot {
  --ground: #ffffff; --ink: #171a20; --quiet: #566070; --grid: #dde1e8;
  --c0: #1d4ed8; --c1: #b45309; --c2: #137a38; --c3: #a21caf; --c4: #0e7490; --c5: #b91c1c;
  --s0: #c3cfe4; --s1: #a3b8e2; --s2: #7c9ae0; --s3: #5279db; --s4: #2c58c9; --s5: #12339a;
}
@media (prefers-color-scheme: dark) {
  .plot {
    --ground: #121419; --ink: #edeff3; --quiet: #a7b0bf; --grid: #343a46;
    --c0: #84a9ff; --c1: #fbbf24; --c2: #4ade80; --c3: #f0abfc; --c4: #67e8f9; --c5: #f98080;
    --s0: #343e52; --s1: #425478; --s2: #4f6ba3; --s3: #6187d2; --s4: #84a9ff; --s5: #d3e0ff;
  }
}
.ground { fill: var(--ground); }
.title { font: 600 16px system-ui, 'Open Sans', sans-serif; fill: var(--ink); }
.label { font: 12px system-ui, 'Open Sans', sans-serif; fill: var(--ink); }
.quiet { fill: var(--quiet); }
.strong { font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--quiet); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.thin { fill: none; stroke-width: 1.2; stroke-linejoin: round; opacity: 0.75; }
.many { opacity: 0.3; }
.dashed { stroke-dasharray: 6 4; }
.dot { stroke-width: 6; stroke-linecap: round; stroke-dasharray: none; }
.mark { fill: var(--ground); stroke: var(--ink); stroke-width: 2; }
.failed { stroke: var(--quiet); stroke-dasharray: 2 4; }
${['c', 's'].flatMap((kind) => [0, 1, 2, 3, 4, 5].map((i) => styleOf(kind, i))).join('\n')}
.best { stroke: var(--c1); stroke-width: 2.5; opacity: 1; }
.point.best { fill: var(--c1); }
.point { stroke: none; opacity: 1; }`;

function styleOf(kind: string, i: number): string {
  const name = `${kind}${i}`;
  return `.${name} { stroke: var(--${name}); } rect.${name}, .point.${name} { fill: var(--${name}); stroke: none; }`;
}

/** The page around the plots. */
export const pageStyle = `:root { color-scheme: light dark; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, 'Open Sans', sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
figure { margin: 0 0 2rem; }
.scroll { overflow: auto; max-height: 70vh; }
.chart { overflow-x: auto; }
.chart svg { display: block; width: 100%; min-width: 34rem; height: auto; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { border-bottom: 1px solid var(--grid); padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; max-width: 30rem; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: var(--ground); overflow-wrap: normal; }
summary { cursor: pointer; }
summary, .note { color: var(--quiet); }`;
