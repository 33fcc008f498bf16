/** One line of metrics.jsonl: what a run has measured, as JSON that never depends on the clock. */

/** What was measured at a step. */
export interface MetricsRecord {
  /** Optimizer steps done so far. */
  readonly step: number;
  /** What it is about: `train`, `validation`, `epoch` … */
  readonly kind: string;
  /** Names and numbers, in the order in which they are written; `step` and `kind` are taken. */
  readonly values: Readonly<Record<string, number>>;
}

/** Numbers that JSON does not know, as texts. */
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/**
 * Writes a record as a line with its newline: `{"step":5,"kind":"train","loss":0.25}`. Numbers that JSON does not know are
 * written as texts, so a loss that went wrong can be seen.
 *
 * @throws {RangeError} if the step is not an integer ≥ 0 or a value is named `step` or `kind`
 */
export function formatMetrics({ step, kind, values }: MetricsRecord): string {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`"step" must be an integer of at least 0 (got ${String(step)}).`);
  }
  for (const name of ['step', 'kind']) {
    if (Object.hasOwn(values, name)) throw new RangeError(`"values" must have no ${name}.`);
  }
  const pairs = Object.entries(values).map(([name, value]) => [
    name,
    Number.isFinite(value) ? value : String(value),
  ]);
  return `${JSON.stringify({ step, kind, ...Object.fromEntries(pairs) })}\n`;
}

/** Reads a line without its newline; null if it is not one of {@link formatMetrics}. */
export function parseMetrics(line: string): MetricsRecord | null {
  const parsed = parseObject(line);
  if (parsed === null) return null;
  const { step, kind, ...rest } = parsed;
  if (!Number.isSafeInteger(step) || Number(step) < 0 || typeof kind !== 'string') return null;
  const pairs = Object.entries(rest).map(([name, value]) => [name, toNumber(value)] as const);
  if (pairs.some(([, value]) => value === null)) return null;
  return { step: Number(step), kind, values: Object.fromEntries(pairs) as Record<string, number> };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? (SPECIAL.get(value) ?? null) : null;
}
