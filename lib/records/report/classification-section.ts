/** What a classifier got right, as tables: each class, who was taken for whom, and what could not be read. */

import type { ClassRecord, ClassificationRecord } from '../classification.ts';
import { escapeHtml, factTable, formatCount, formatRate, section } from './html.ts';
import type { ReportFact } from './report-data.ts';

/** Up to here the confusions are a table of numbers, above a picture. */
const MAX_TABLE_CLASSES = 24;
const NUM_PAIRS = 10;
/** Names of videos that are listed. */
const MAX_NAMES = 200;

/** The large numbers of a classification. */
export function classificationHighlights(record: ClassificationRecord): ReportFact[] {
  return [
    ['top-1', formatRate(record.top1)],
    ...(record.classes.length > 5 ? [['top-5', formatRate(record.top5)] as const] : []),
    ['mean per class', formatRate(record.meanPerClass)],
    ['videos', formatCount(record.numVideos)],
    ...(record.missing.length > 0
      ? [['missing, counted as wrong', formatCount(record.missing.length)] as const]
      : []),
  ];
}

/** The sections of a classification. */
export function classificationSections(record: ClassificationRecord): string {
  return [
    section('Accuracy of each class', classBars(record.classes)),
    section('Who was taken for whom', confusion(record)),
    section('Videos without a full score', missingNames(record)),
  ].join('\n');
}

/** Best first. */
function classBars(classes: readonly ClassRecord[]): string {
  const sorted = classes.toSorted(
    (a, b) => (b.accuracy ?? -1) - (a.accuracy ?? -1) || a.label - b.label,
  );
  const rows = sorted.map(({ name, accuracy, numCorrect, numVideos, numMissing }) => {
    const width = (100 * (accuracy ?? 0)).toFixed(1);
    const missing = numMissing > 0 ? `, ${formatCount(numMissing)} missing` : '';
    const counts = `${formatCount(numCorrect)} of ${formatCount(numVideos)}${missing}`;
    const rate = accuracy === null ? 'no videos' : formatRate(accuracy);
    return `<tr><th scope="row">${escapeHtml(name)}</th><td class="bar"><span style="width:${width}%"></span></td><td class="number">${rate}</td><td class="quiet">${accuracy === null ? '' : counts}</td></tr>`;
  });
  return `<div class="scroll"><table class="bars"><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

function confusion(record: ClassificationRecord): string {
  const legend =
    '<p class="note">Rows: what it is. Columns: what it was taken for. Colour: share of the row.</p>';
  const isSmall = record.classes.length <= MAX_TABLE_CLASSES;
  const table = isSmall ? confusionTable(record) : confusionPicture(record);
  return `${legend}<div class="split"><div>${table}</div><div>${commonPairs(record)}</div></div>`;
}

function confusionTable({ classes, confusion: counts }: ClassificationRecord): string {
  const head = classes.map(({ name }) => `<th scope="col"><span>${escapeHtml(name)}</span></th>`);
  const rows = counts.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) => {
      const share = total === 0 ? 0 : count / total;
      const marks = `${heatMark(share)}${label === predicted ? ' right' : ''}`;
      const title = pairText(classes, { label, predicted }, `${count} of ${total}`);
      return `<td class="heat${marks}" style="--share:${(100 * share).toFixed(0)}%" title="${escapeHtml(title)}">${count === 0 ? '' : formatCount(count)}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(nameOf(classes, label))}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table class="confusion"><thead><tr><td></td>${head.join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table></div>`;
}

/** Texts change their colour where that of the page can no longer be read. */
function heatMark(share: number): string {
  if (share > 0.85) return ' full';
  return share > 0.55 ? ' mid' : '';
}

/** One square per pair that happened. */
function confusionPicture({ classes, confusion: counts }: ClassificationRecord): string {
  const size = classes.length;
  const squares = counts.flatMap((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, predicted) => {
      if (count === 0) return [];
      const opacity = Math.max(0.08, count / total).toFixed(2);
      const title = escapeHtml(pairText(classes, { label, predicted }, `${count} of ${total}`));
      return [
        `<rect x="${predicted}" y="${label}" width="1" height="1" fill-opacity="${opacity}"><title>${title}</title></rect>`,
      ];
    });
  });
  return `<svg class="confusion" viewBox="0 0 ${size} ${size}" role="img" aria-label="confusions of ${size} classes" shape-rendering="crispEdges">${squares.join('')}</svg>`;
}

function commonPairs({ classes, confusion: counts }: ClassificationRecord): string {
  const pairs = counts.flatMap((row, label) =>
    row.flatMap((count, predicted) =>
      count === 0 || label === predicted ? [] : [{ label, predicted, count }],
    ),
  );
  if (pairs.length === 0) return '';
  const most = pairs
    .toSorted((a, b) => b.count - a.count || a.label - b.label || a.predicted - b.predicted)
    .slice(0, NUM_PAIRS);
  const facts = most.map(({ label, predicted, count }): ReportFact => {
    const total = classes[label]?.numVideos ?? 0;
    const pair = `${nameOf(classes, label)} → ${nameOf(classes, predicted)}`;
    return [pair, `${formatCount(count)} of ${formatCount(total)}`];
  });
  return `<h3>Most common mistakes</h3>${factTable(facts)}`;
}

function missingNames({ missing, incomplete }: ClassificationRecord): string {
  const lines = [
    ...missing.map((key) => `${key}: no score, counted as wrong`),
    ...incomplete.map(({ key, numViews }) => `${key}: ${numViews} views only`),
  ];
  if (lines.length === 0) return '';
  const more = lines.length - MAX_NAMES;
  const shown = lines.slice(0, MAX_NAMES).map((text) => `<li>${escapeHtml(text)}</li>`);
  const rest = more > 0 ? `<li>and ${formatCount(more)} more</li>` : '';
  return `<details${lines.length <= 12 ? ' open' : ''}><summary>${formatCount(lines.length)} of them</summary><ul>${shown.join('')}${rest}</ul></details>`;
}

interface Pair {
  readonly label: number;
  readonly predicted: number;
}

function pairText(
  classes: readonly ClassRecord[],
  { label, predicted }: Pair,
  count: string,
): string {
  return `${nameOf(classes, label)} taken for ${nameOf(classes, predicted)}: ${count}`;
}

function nameOf(classes: readonly ClassRecord[], label: number): string {
  return classes[label]?.name ?? String(label);
}
