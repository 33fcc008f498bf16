/** Line charts as SVG: drawn once, no script, colours from the style of the page. */

import { escapeHtml, formatNumber, formatRate } from './html.ts';
import type { ReportChart, ReportSeries } from './report-data.ts';
import { roundAxis } from './ticks.ts';
import type { Axis } from './ticks.ts';

const WIDTH = 440;
const HEIGHT = 250;
const LEFT = 48;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 34;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;

/** Colours in the style; further lines begin anew. */
const NUM_COLOURS = 5;
/** Lines with fewer points get a dot at each. */
const MAX_DOTS = 40;
/** Lines with more points that go up and down more than this many times their range are drawn faint, under their mean. */
const MIN_SMOOTHED = 120;
const MIN_SWINGS = 5;

type Point = readonly [step: number, value: number];

interface Scales {
  readonly x: Axis;
  readonly y: Axis;
}

/** A chart with its title and legend. */
export function chartHtml(chart: ReportChart): string {
  const { title, series, unit = 'number' } = chart;
  const format = unit === 'rate' ? formatRate : formatNumber;
  const values = series.flatMap(({ points }) => points.filter(isFinitePoint));
  const hasLast = chart.axis === undefined;
  const legend = series
    .map((one, index) =>
      legendEntry(one, index, hasLast || one.points.length === 1 ? format : null),
    )
    .join('');
  const smoothed = series.some(({ points }) => isNoisy(points))
    ? '<p class="note">Faint: every step. Strong: running mean over 2 % of the steps.</p>'
    : '';
  const picture =
    values.length === 0 ? '<p class="note">No values.</p>' : drawing(chart, values, format);
  return `<figure class="chart">
<figcaption><h3>${escapeHtml(title)}</h3><ul class="legend">${legend}</ul></figcaption>
${picture}${smoothed}
</figure>`;
}

function legendEntry(
  { name, points }: ReportSeries,
  index: number,
  format: ((value: number) => string) | null,
): string {
  const last = points.at(-1);
  const value =
    last === undefined || format === null ? '' : ` <b>${escapeHtml(format(last[1]))}</b>`;
  return `<li><i class="${colourOf(index)}"></i>${escapeHtml(name)}${value}</li>`;
}

function drawing(
  { title, series, unit = 'number', axis = 'step', names = [] }: ReportChart,
  values: readonly Point[],
  format: (value: number) => string,
): string {
  const scales = scalesOf(values, unit, names);
  const lines = series.map(({ points }, index) => line(points, index, { scales, format, axis }));
  const text = unit === 'rate' ? wholePercent : formatNumber;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)} over ${escapeHtml(axis === 'step' ? 'steps' : axis)}">
${grid(scales, { format: text, axis, names })}
${lines.join('\n')}
</svg>`;
}

function scalesOf(
  values: readonly Point[],
  unit: 'number' | 'rate',
  names: readonly string[],
): Scales {
  const steps = values.map(([step]) => step);
  const heights = values.map(([, value]) => value);
  const x = roundAxis(smallest(steps), largest(steps), 5, steps.every(Number.isInteger));
  const y =
    unit === 'rate'
      ? { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1] }
      : roundAxis(smallest(heights), largest(heights), 4);
  if (names.length > 0) {
    const ticks = names.map((_, i) => i);
    return { x: { low: -0.5, high: names.length - 0.5, ticks }, y };
  }
  // Steps need no room at the ends, and no tick beyond the last one.
  const isPoint = largest(steps) === smallest(steps);
  const high = isPoint ? largest(steps) + 1 : largest(steps);
  const inside = x.ticks.filter((tick) => tick >= smallest(steps) && tick <= high);
  return { x: { low: smallest(steps), high, ticks: inside }, y };
}

interface GridTexts {
  readonly format: (value: number) => string;
  readonly axis: string;
  readonly names: readonly string[];
}

function grid({ x, y }: Scales, { format, axis, names }: GridTexts): string {
  const across = y.ticks.map((tick) => {
    const at = place(tick, y, HEIGHT - BOTTOM, TOP);
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 7}" y="${at}" dy="0.35em" text-anchor="end">${escapeHtml(format(tick))}</text>`;
  });
  const along = x.ticks.map((tick) => {
    const at = place(tick, x, LEFT, WIDTH - RIGHT);
    return `<line class="tick" x1="${at}" x2="${at}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 4}"/><text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeHtml(names[tick] ?? shortCount(tick))}</text>`;
  });
  const base = `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>`;
  const name = `<text class="name" x="${LEFT + PLOT_WIDTH / 2}" y="${HEIGHT - 4}" text-anchor="middle">${escapeHtml(axis)}</text>`;
  return [...across, ...along, base, name].join('\n');
}

interface LineStyle {
  readonly scales: Scales;
  readonly format: (value: number) => string;
  readonly axis: string;
}

function line(
  points: readonly Point[],
  index: number,
  { scales, format, axis }: LineStyle,
): string {
  const colour = colourOf(index);
  const isFaint = isNoisy(points);
  const raw = `<path class="line ${colour}${isFaint ? ' faint' : ''}" d="${pathOf(thin(points, scales.x), scales)}"/>`;
  if (isFaint) {
    return `${raw}<path class="line ${colour}" d="${pathOf(thin(runningMean(points), scales.x), scales)}"/>`;
  }
  if (points.length > MAX_DOTS) return raw;
  const dots = points.filter(isFinitePoint).map((point) => {
    const [x, y] = toPlace(point, scales);
    const text = `${axis} ${point[0]}: ${format(point[1])}`;
    return `<circle class="dot ${colour}" cx="${x}" cy="${y}" r="2.6"><title>${escapeHtml(text)}</title></circle>`;
  });
  return raw + dots.join('');
}

/** A line that is lifted where values are missing. */
function pathOf(points: readonly Point[], scales: Scales): string {
  let command = 'M';
  let path = '';
  for (const point of points) {
    if (!isFinitePoint(point)) {
      command = 'M';
      continue;
    }
    const [x, y] = toPlace(point, scales);
    path += `${command}${x} ${y}`;
    command = 'L';
  }
  return path;
}

/** Keeps the lowest and the highest point of every column of the picture. */
function thin(points: readonly Point[], axis: Axis): Point[] {
  if (points.length <= 2 * PLOT_WIDTH) return [...points];
  const columns = new Map<number, { low: Point; high: Point }>();
  const kept: Point[] = [];
  for (const point of points) {
    const column = Math.round(Number(place(point[0], axis, LEFT, WIDTH - RIGHT)));
    const seen = columns.get(column);
    if (!isFinitePoint(point)) kept.push(point);
    else if (seen === undefined) columns.set(column, { low: point, high: point });
    else if (point[1] < seen.low[1]) seen.low = point;
    else if (point[1] > seen.high[1]) seen.high = point;
  }
  for (const { low, high } of columns.values()) kept.push(...(low === high ? [low] : [low, high]));
  return kept.sort(([a], [b]) => a - b);
}

/** A schedule is no noise: its way up and down is a few times its range. */
function isNoisy(points: readonly Point[]): boolean {
  if (points.length < MIN_SMOOTHED) return false;
  const values = points.filter(isFinitePoint).map(([, value]) => value);
  const range = largest(values) - smallest(values);
  const way = values.reduce((sum, value, i) => sum + Math.abs(value - (values[i - 1] ?? value)), 0);
  return way > MIN_SWINGS * range;
}

/** Over 2 % of the points around each; gaps stay gaps. */
function runningMean(points: readonly Point[]): Point[] {
  const half = Math.max(2, Math.round(points.length / 100));
  let [sum, count] = [0, 0];
  const change = (point: Point | undefined, sign: 1 | -1): void => {
    if (point === undefined || !isFinitePoint(point)) return;
    sum += sign * point[1];
    count += sign;
  };
  for (let i = 0; i < half; i++) change(points[i], 1);
  return points.map((point, i) => {
    change(points[i + half], 1);
    change(points[i - half - 1], -1);
    return [point[0], isFinitePoint(point) ? sum / count : Number.NaN];
  });
}

function toPlace([step, value]: Point, { x, y }: Scales): [x: string, y: string] {
  return [place(step, x, LEFT, WIDTH - RIGHT), place(value, y, HEIGHT - BOTTOM, TOP)];
}

function place(value: number, { low, high }: Axis, from: number, to: number): string {
  const share = (value - low) / (high - low);
  return (from + share * (to - from)).toFixed(1);
}

function isFinitePoint([step, value]: Point): boolean {
  return Number.isFinite(step) && Number.isFinite(value);
}

function smallest(values: readonly number[]): number {
  return values.reduce((min, value) => Math.min(min, value), Infinity);
}

function largest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), -Infinity);
}

function colourOf(index: number): string {
  return `c${index % NUM_COLOURS}`;
}

function wholePercent(rate: number): string {
  return `${Math.round(100 * rate)} %`;
}

/** `500`, `2.5k`, `40k`, `1M`. */
function shortCount(count: number): string {
  if (Math.abs(count) >= 1e6) return `${count / 1e6}M`;
  return Math.abs(count) >= 1e4 ? `${count / 1e3}k` : String(count);
}
