/** The look of a report. Colours keep a contrast of 4.5 (texts) and 3 (lines) on both backgrounds. */

/** The style sheet of a report. */
export const REPORT_STYLE = `
:root {
  --page: #f6f7f9; --card: #fff; --ink: #1b1f27; --quiet: #5c6470; --edge: #dfe3e9; --grid: #e9ecf1;
  --heat: #2f6fd0; --mid-ink: #1b1f27; --full-ink: #fff;
  --c0: #2f6fd0; --c1: #c8571b; --c2: #1c8562; --c3: #8a4fc4; --c4: #a0750a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151b; --card: #1b1f28; --ink: #e7eaf0; --quiet: #9aa3b2; --edge: #2c323e; --grid: #282e39;
    --heat: #6aa3f5; --mid-ink: #0c1119; --full-ink: #0c1119;
    --c0: #6aa3f5; --c1: #f0915a; --c2: #4fc49a; --c3: #bd95ef; --c4: #d9ad3c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header { margin-bottom: 1.5rem; }
h1 { margin: 0 0 .3rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 .9rem; font-size: 1.1rem; }
h3 { margin: 0; font-size: .95rem; }
header p { margin: 0; color: var(--quiet); max-width: 46rem; overflow-wrap: anywhere; }
section {
  margin-top: 1.25rem; padding: 1.25rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 10px;
}
.note { margin: 0 0 .8rem; color: var(--quiet); font-size: .85rem; }
.quiet { color: var(--quiet); }
.scroll { overflow: auto; max-height: 40rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.5rem), 1fr)); gap: .75rem; margin: 0; }
.tiles div { padding: .8rem 1rem; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
.tiles dt { color: var(--quiet); font-size: .82rem; }
.tiles dd { margin: .1rem 0 0; font-size: 1.35rem; line-height: 1.3; font-weight: 650; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.75rem 1.5rem; }
figure { margin: 0; min-width: 0; }
.chart { max-width: 40rem; }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .2rem 1rem; margin-bottom: .4rem; }
.chart svg { display: block; width: 100%; height: auto; overflow: visible; }
.chart .note { margin: .3rem 0 0; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: 0; padding: 0; list-style: none; font-size: .85rem; color: var(--quiet); }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: .8rem; height: .2rem; margin-right: .4rem; border-radius: 1px; vertical-align: .22rem; background: currentcolor; }
svg text { fill: var(--quiet); font-size: 11px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); }
.axis, .tick { stroke: var(--edge); }
.line { fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.faint { opacity: .28; stroke-width: 1; }
.dot { fill: currentcolor; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); } .c4 { color: var(--c4); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 500; text-align: left; }
.facts { width: 100%; font-size: .9rem; }
.facts tr + tr { border-top: 1px solid var(--grid); }
.facts th, .facts td { padding: .35rem 0; vertical-align: top; overflow-wrap: anywhere; }
.facts th { width: 38%; padding-right: 1rem; color: var(--quiet); }
.values { width: 100%; font-size: .9rem; }
.values tbody tr { border-top: 1px solid var(--grid); }
.values th, .values td { padding: .35rem 0 .35rem 1rem; text-align: right; }
.values th:first-child { padding-left: 0; text-align: left; }
.values thead th { color: var(--quiet); }
.bars { width: 100%; font-size: .9rem; }
.bars th, .bars td { padding: .22rem .75rem .22rem 0; }
.bars th { width: 1%; max-width: 16rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bars .bar { min-width: 5rem; }
.bars .bar span { display: block; height: .8rem; border-radius: 0 3px 3px 0; background: var(--c0); min-width: 2px; }
.bars .number, .bars .quiet { width: 1%; white-space: nowrap; text-align: right; }
.confusion { font-size: .82rem; }
table.confusion { border-spacing: 2px; border-collapse: separate; }
table.confusion thead th { vertical-align: bottom; padding-bottom: .3rem; }
table.confusion thead span { display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
table.confusion tbody th { padding-right: .6rem; max-width: 14rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; text-align: right; }
table.confusion thead th, table.confusion tbody td { min-width: 2.5rem; text-align: center; }
.heat { height: 2.2rem; border-radius: 4px; background: color-mix(in srgb, var(--heat) var(--share), var(--grid)); }
.heat.mid { color: var(--mid-ink); font-weight: 600; }
.heat.full { color: var(--full-ink); font-weight: 600; }
.heat.right { outline: 1px solid var(--quiet); outline-offset: -1px; }
svg.confusion { display: block; width: 36rem; max-width: 100%; aspect-ratio: 1; border: 1px solid var(--edge); fill: var(--heat); }
.split { display: flex; flex-wrap: wrap; gap: 1.25rem 2.5rem; }
.split > div { min-width: 0; max-width: 100%; }
.split > div + div { flex: 1 1 17rem; }
.split > div:empty { display: none; }
.split h3 { margin-bottom: .3rem; }
.split .facts th { width: auto; }
.split .facts td { text-align: right; white-space: nowrap; }
.clip { margin-bottom: 1.4rem; }
.clip:last-child { margin-bottom: 0; }
.clip figcaption { margin-bottom: .35rem; font-weight: 550; overflow-wrap: anywhere; }
.clip div { margin-bottom: .4rem; }
.clip span { display: block; color: var(--quiet); font-size: .8rem; }
.clip img { display: block; max-width: 100%; height: auto; border-radius: 4px; image-rendering: auto; }
details summary { cursor: pointer; }
details ul { margin: .5rem 0 0; padding-left: 1.2rem; font-size: .88rem; overflow-wrap: anywhere; }
table.confusion tbody th { position: sticky; left: 0; background: var(--card); }
@media (max-width: 36rem) {
  main { padding: 1.5rem .75rem 3rem; }
  section { padding: 1rem .85rem; }
  .bars .quiet { display: none; }
  table.confusion tbody th { max-width: 7rem; }
  table.confusion thead th, table.confusion tbody td { min-width: 1.9rem; }
  .heat { height: 1.9rem; }
}
@media print { section, .tiles div { break-inside: avoid; } .scroll { max-height: none; } }
`;
