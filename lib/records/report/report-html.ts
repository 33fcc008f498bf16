/** The report of a run: one HTML file with everything in it, for light and dark screens. */

import { chartHtml } from './chart.ts';
import { classificationHighlights, classificationSections } from './classification-section.ts';
import { escapeHtml, factTable, section, valueTable } from './html.ts';
import type { ReportData, ReportFact, ReportReconstruction } from './report-data.ts';
import { REPORT_STYLE } from './style.ts';

/** Nothing may be fetched and no script may run, whatever stands in the page. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/**
 * Makes the report of a run. The same data gives the same text; every text of the data is shown as it is, never taken for
 * HTML. The page needs no other file and no script.
 */
export function reportHtml(data: ReportData): string {
  const { title, summary, highlights = [], classification, charts = [] } = data;
  const numbers = [
    ...highlights,
    ...(classification === undefined ? [] : classificationHighlights(classification)),
  ];
  const body = [
    `<header><h1>${escapeHtml(title)}</h1>${summary === undefined ? '' : `<p>${escapeHtml(summary)}</p>`}</header>`,
    tiles(numbers),
    charts.length === 0
      ? ''
      : section('Curves', `<div class="charts">${charts.map(chartHtml).join('\n')}</div>`),
    ...(data.tables ?? []).map((table) => section(table.title, valueTable(table))),
    classification === undefined ? '' : classificationSections(classification),
    section('Reconstructions', reconstructions(data)),
    section('Facts of the run', factTable(data.facts ?? [])),
    data.recipe === undefined ? '' : section('Recipe', recipeTable(data.recipe)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
${body.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

function tiles(numbers: readonly ReportFact[]): string {
  if (numbers.length === 0) return '';
  const items = numbers.map(
    ([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="tiles">${items.join('')}</dl>`;
}

function reconstructions({ reconstructions: clips = [], reconstructionNote }: ReportData): string {
  if (clips.length === 0) return '';
  const note =
    reconstructionNote === undefined ? '' : `<p class="note">${escapeHtml(reconstructionNote)}</p>`;
  return note + clips.map(reconstruction).join('\n');
}

function reconstruction(clip: ReportReconstruction): string {
  const pictures = (['original', 'masked', 'reconstructed'] as const).map((kind) => {
    const data = Buffer.from(clip[kind]).toString('base64');
    const alt = `${clip.caption}: ${kind}`;
    return `<div><span>${kind}</span><img alt="${escapeHtml(alt)}" src="data:image/png;base64,${data}"></div>`;
  });
  return `<figure class="clip"><figcaption>${escapeHtml(clip.caption)}</figcaption>${pictures.join('')}</figure>`;
}

/** Nested keys are joined by dots, as `--set` takes them. */
function recipeTable(recipe: Readonly<Record<string, unknown>>): string {
  return factTable(flatten('', recipe));
}

function flatten(path: string, value: unknown): ReportFact[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))]];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(path === '' ? key : `${path}.${key}`, inner),
  );
}
