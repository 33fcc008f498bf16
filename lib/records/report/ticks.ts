/** Round numbers along an axis. */

/** Steps between ticks that people count in, times a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10];

/** An axis from `low` to `high` with the round numbers on it, in order. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/**
 * An axis around values that begins and ends on a tick.
 *
 * @param count how many ticks there should be, more or less
 * @param isWhole whether ticks between whole numbers are pointless
 */
export function roundAxis(low: number, high: number, count: number, isWhole = false): Axis {
  const [from, to] = spread(low, high);
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = STEPS.find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  const step = isWhole ? Math.max(1, Math.ceil(found * power)) : found * power;
  const first = Math.floor(from / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(to / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return { low: ticks[0] ?? from, high: ticks.at(-1) ?? to, ticks };
}

/** Values that are all alike get some room. */
function spread(low: number, high: number): [number, number] {
  if (high > low) return [low, high];
  const room = Math.abs(low) * 0.1 || 1;
  return [low - room, low + room];
}
