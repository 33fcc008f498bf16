/** The report of a run: what its folder tells, on one page. */

import { join } from 'node:path';
import { writeFileAtomic } from '../core/index.ts';
import { METRICS_FILE, TIMING_FILE, readMetrics, reportHtml } from '../records/index.ts';
import type { MetricsRecord, ReportChart, ReportFact, ReportSeries } from '../records/index.ts';
import { readRunConfig } from '../train/index.ts';
import type { Evaluation, Reconstructions } from '../train/index.ts';
import { reconstructionStrips } from './reconstruction-sheet.ts';

/** What the report shows beside the curves. */
export interface RunReportOptions {
  readonly evaluation?: Evaluation | null;
  readonly reconstructions?: Reconstructions | null;
  readonly facts?: readonly ReportFact[];
}

const REPORT_FILE = 'report.html';
const NOTE =
  'Predictions of normalised pixels were given back the true mean and deviation of each token and colour, which the network did not predict.';

/**
 * Writes `report.html` into the folder of a run and gives its path.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, TUBE_RECORDS_DAMAGED, TUBE_DISK_FULL, TUBE_OUT_NOT_WRITABLE
 */
export async function writeRunReport(run: string, options: RunReportOptions = {}): Promise<string> {
  const { evaluation = null, reconstructions = null, facts = [] } = options;
  const { recipe, from, model } = await readRunConfig(run);
  const records = await readAll(join(run, METRICS_FILE));
  const timing = await readAll(join(run, TIMING_FILE));
  const { encoder } = model.config;
  const html = reportHtml({
    title: `${recipe.name}: ${run}`,
    summary: `A run of ${recipe.task}, ${from === null ? 'from drawn weights' : `from ${from}`}.`,
    charts: [
      chart('Loss', 'number', [
        series('each step', records, 'train', 'loss'),
        series('each epoch', records, 'epoch', 'loss'),
        series('validation videos', records, 'epoch', 'valLoss'),
      ]),
      chart('Accuracy on validation videos', 'rate', [
        series('top-1', records, 'epoch', 'top1'),
        series('top-5', records, 'epoch', 'top5'),
      ]),
      chart('Learning rate', 'number', [series('lr', records, 'train', 'lr')]),
      chart('Length of the gradient', 'number', [series('norm', records, 'train', 'gradNorm')]),
      chart('Clips per second', 'number', [series('speed', timing, 'train', 'clipsPerSecond')]),
    ].filter(({ series: lines }) => lines.length > 0),
    ...(evaluation === null ? {} : { classification: evaluation }),
    ...(reconstructions === null
      ? {}
      : {
          reconstructions: await Promise.all(
            reconstructions.clips.map(async (clip) => ({
              caption: clip.key,
              ...(await reconstructionStrips(clip)),
            })),
          ),
          ...(reconstructions.usesTrueMeans ? { reconstructionNote: NOTE } : {}),
        }),
    facts: [
      ['encoder', `width ${encoder.width}, ${encoder.depth} blocks, ${encoder.numHeads} heads`],
      ['clips', `${model.config.numFrames} frames of ${model.config.size} pixels`],
      ...facts,
    ],
    recipe: { ...recipe },
  });
  const path = join(run, REPORT_FILE);
  await writeFileAtomic(path, html);
  return path;
}

async function readAll(path: string): Promise<MetricsRecord[]> {
  const records: MetricsRecord[] = [];
  for await (const record of readMetrics(path)) records.push(record);
  return records;
}

function chart(
  title: string,
  unit: 'number' | 'rate',
  lines: readonly ReportSeries[],
): ReportChart {
  return { title, unit, series: lines.filter(({ points }) => points.length > 0) };
}

function series(
  name: string,
  records: readonly MetricsRecord[],
  kind: string,
  value: string,
): ReportSeries {
  const points = records
    .filter((record) => record.kind === kind && record.values[value] !== undefined)
    .map(({ step, values }) => [step, values[value] ?? Number.NaN] as const);
  return { name, points };
}
