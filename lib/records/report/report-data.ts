/** What a report shows: plain data, nothing of it trusted to be HTML. */

import type { ClassificationRecord } from '../classification.ts';

/** A line of a chart. */
export interface ReportSeries {
  readonly name: string;
  /** Steps and values in the order of steps; values that are not finite leave a gap. */
  readonly points: readonly (readonly [step: number, value: number])[];
}

/** A chart of values over steps. */
export interface ReportChart {
  readonly title: string;
  /** `rate`: values from 0 to 1, shown as percent over the whole range. Default: `number`. */
  readonly unit?: 'number' | 'rate';
  /** What the values are over. Default: `step`. */
  readonly axis?: string;
  /** Names of the places 0, 1, 2, … along the axis, where these are no numbers. */
  readonly names?: readonly string[];
  readonly series: readonly ReportSeries[];
}

/** A table; the first column names the rows. */
export interface ReportTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A clip and what the model made of it: PNG files of one size, such as rows of frames. */
export interface ReportReconstruction {
  readonly caption: string;
  readonly original: Uint8Array;
  readonly masked: Uint8Array;
  readonly reconstructed: Uint8Array;
}

/** A name and what is said of it. */
export type ReportFact = readonly [name: string, value: string];

/** All that {@link reportHtml} shows; sections without data are left out. */
export interface ReportData {
  readonly title: string;
  /** A sentence or two below the title. */
  readonly summary?: string;
  /** Large numbers at the top, before those of the classification. */
  readonly highlights?: readonly ReportFact[];
  readonly charts?: readonly ReportChart[];
  readonly tables?: readonly ReportTable[];
  readonly classification?: ClassificationRecord;
  readonly reconstructions?: readonly ReportReconstruction[];
  /**
   * How the reconstructions were made. Pictures whose tubelets were given back their true mean and deviation use what the
   * model did not predict: say so here.
   */
  readonly reconstructionNote?: string;
  readonly facts?: readonly ReportFact[];
  /** The resolved recipe: plain data, shown key by key. */
  readonly recipe?: Readonly<Record<string, unknown>>;
}
