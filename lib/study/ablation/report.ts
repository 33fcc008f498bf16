/** What an ablation found, as data, as Markdown tables and as a page with charts. */

import { reportHtml } from '../../records/index.ts';
import type { ReportChart, ReportFact, ReportSeries, ReportTable } from '../../records/index.ts';
import type { Readout } from '../../recipes/index.ts';
import type { AblationPlan } from './plan.ts';
import type { DataSizes } from './work.ts';

/** What one run gave. */
export interface RunResult {
  /** Moving average of the loss at the end of pre-training. */
  readonly loss: number;
  /** Part of the validation videos that is named right. */
  readonly top1: Readonly<Partial<Record<Readout, number>>>;
}

/** A value over the seeds. */
export interface SeedSpread {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A point with what was found. */
export interface AblationRow {
  readonly name: string;
  readonly line: string | null;
  readonly x: number | null;
  /** Whether it is the recipe as it stands. */
  readonly isStandard: boolean;
  /** Runs that are done. */
  readonly numRuns: number;
  /** Null before the first run. */
  readonly loss: SeedSpread | null;
  readonly top1: Readonly<Partial<Record<Readout, SeedSpread>>>;
}

/** What an ablation found so far; `ablation.json`. */
export interface AblationReport extends DataSizes {
  /** Version, 1. */
  readonly v: number;
  readonly recipe: string;
  readonly seeds: number;
  readonly readouts: readonly Readout[];
  readonly numClasses: number;
  readonly isComplete: boolean;
  readonly parts: readonly {
    readonly name: string;
    readonly title: string;
    readonly axis: string;
    readonly points: readonly AblationRow[];
  }[];
}

const READOUT_TITLES: Readonly<Record<Readout, string>> = {
  probe: 'linear probe',
  finetune: 'fine-tuned',
};

/** Puts the results of runs where they belong. */
export function reportAblation(
  plan: AblationPlan,
  results: ReadonlyMap<string, RunResult>,
  facts: Pick<AblationReport, 'recipe' | 'numClasses'> & DataSizes,
): AblationReport {
  const { readouts, seeds, parts } = plan;
  return {
    v: 1,
    ...facts,
    seeds,
    readouts,
    isComplete: plan.runs.every(({ name }) => results.has(name)),
    parts: parts.map(({ name: part, title, axis, points }) => ({
      name: part,
      title,
      axis,
      points: points.map(({ name, line, x, isStandard, runs }) => {
        const found = runs.flatMap((run) => results.get(run) ?? []);
        const top1 = readouts.flatMap((readout) => {
          const spread = spreadOf(found.flatMap((one) => one.top1[readout] ?? []));
          return spread === null ? [] : [[readout, spread] as const];
        });
        return {
          name,
          line: line ?? null,
          x: x ?? null,
          isStandard,
          numRuns: found.length,
          loss: spreadOf(found.map(({ loss }) => loss)),
          top1: Object.fromEntries(top1),
        };
      }),
    })),
  };
}

function spreadOf(values: readonly number[]): SeedSpread | null {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, low: Math.min(...values), high: Math.max(...values) };
}

/** The tables of an ablation as Markdown. */
export function ablationMarkdown(report: AblationReport): string {
  const tables = tablesOf(report).map(({ title, head, rows }) => {
    const lines = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows];
    return `## ${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
  });
  const facts = factsOf(report).map(([name, value]) => `- ${name}: ${value}\n`);
  return `# ${report.recipe}\n\n${facts.join('')}\n${tables.join('\n')}\n${NOTES.join('\n')}\n`;
}

/** The page of an ablation: charts and tables in one file. */
export function ablationHtml(
  report: AblationReport,
  recipe: Readonly<Record<string, unknown>>,
): string {
  return reportHtml({
    title: `Ablation: ${report.recipe}`,
    summary: NOTES.join(' '),
    charts: report.parts.flatMap((part) =>
      report.readouts.map((one) => chartOf(report, part, one)),
    ),
    tables: tablesOf(report),
    facts: factsOf(report),
    recipe,
  });
}

const NOTES = [
  'One value is changed at a time; the row marked * is the recipe as it stands.',
  'Losses compare only where mask, target and kind of loss are the same.',
];

function factsOf(report: AblationReport): ReportFact[] {
  const { seeds, numPretrain, numLabelled, numVal, numClasses } = report;
  const deviation = Math.sqrt((0.5 * 0.5) / numVal);
  return [
    ['runs of each point', seeds === 1 ? '1' : `${seeds}, as mean (lowest to highest)`],
    ['samples of pre-training', String(numPretrain)],
    ['samples with labels', String(numLabelled)],
    ['validation videos', String(numVal)],
    ['by chance', percent(1 / numClasses)],
    ['chance alone moves a value of 50 %', `by ${percent(deviation)} (one standard deviation)`],
    ...(report.isComplete ? [] : [['state', 'not all runs are done'] as const]),
  ];
}

/** One table for each part, one row for each point. */
function tablesOf({ parts, readouts, seeds }: AblationReport): ReportTable[] {
  const show = (
    spread: SeedSpread | null | undefined,
    format: (value: number) => string,
  ): string => {
    if (spread === null || spread === undefined) return '-';
    const { mean, low, high } = spread;
    return seeds === 1 ? format(mean) : `${format(mean)} (${format(low)} to ${format(high)})`;
  };
  return parts.map(({ title, axis, points }) => ({
    title,
    head: [axis, ...readouts.map((one) => `${READOUT_TITLES[one]}, top-1`), 'loss'],
    rows: points.map(({ line, x, isStandard, loss, top1 }) => [
      `${[line, x].filter((part) => part !== null).join(' ')}${isStandard ? ' *' : ''}`,
      ...readouts.map((one) => show(top1[one], percent)),
      show(loss, (value) => value.toFixed(4)),
    ]),
  }));
}

type Part = AblationReport['parts'][number];

/** Points of a line in the order of the axis, and chance as a line through all. */
function chartOf({ numClasses }: AblationReport, part: Part, readout: Readout): ReportChart {
  const { title, axis, points } = part;
  const names = [...new Set(points.map(({ line }) => line ?? READOUT_TITLES[readout]))];
  const placeOf = ({ x, line }: AblationRow): number => x ?? names.indexOf(line ?? '');
  const series: ReportSeries[] = names.map((name) => ({
    name,
    points: points
      .filter(({ line }) => (line ?? READOUT_TITLES[readout]) === name)
      .flatMap((point) => {
        const found = point.top1[readout];
        return found === undefined ? [] : [[placeOf(point), found.mean] as const];
      })
      .sort(([a], [b]) => a - b),
  }));
  const places = points.map(placeOf);
  const isNamed = points.every(({ x }) => x === null);
  const ends = [Math.min(...places), Math.max(...places)];
  const chance = ends.map((place) => [place, 1 / numClasses] as const);
  return {
    title: `${title}: ${READOUT_TITLES[readout]}`,
    unit: 'rate',
    axis,
    ...(isNamed ? { names } : {}),
    series: [...series, { name: 'chance', points: chance }],
  };
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
