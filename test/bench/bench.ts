/** What every benchmark gets from the runner. */

/** How big a run is and where its results go. */
export interface Bench {
  /** Folders of videos; empty for made-up ones. */
  readonly folders: readonly string[];
  /** Only to show that it runs. */
  readonly isShort: boolean;
  /** Part of the benchmark, for those that have parts; null for all. */
  readonly only: string | null;
  readonly files: number;
  readonly rounds: number;
  /** Prints one result. */
  readonly report: (line: Readonly<Record<string, unknown>>) => void;
}

/** Sizes of a run that is meant to be quoted. */
export const DEFAULTS = { files: 240, rounds: 7 } as const;

/** Sizes of a run that only shows that it runs. */
export const SHORT = { files: 4, rounds: 1 } as const;

/** The value with as many values below as above. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

/** Rounds for print. */
export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
