/** Pieces of HTML out of texts and numbers that nobody vouches for. */

import type { ReportTable } from './report-data.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text that is shown as it is, in content and in quoted attributes. Characters that HTML may not hold become `�`. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]|\p{Cs}/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** A section with a heading, or nothing if there is nothing in it. */
export function section(heading: string, ...parts: readonly string[]): string {
  const content = parts.filter((part) => part !== '').join('\n');
  return content === '' ? '' : `<section>\n<h2>${escapeHtml(heading)}</h2>\n${content}\n</section>`;
}

/** Names and values, one a row. */
export function factTable(facts: readonly (readonly [name: string, value: string])[]): string {
  const rows = facts.map(
    ([name, value]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return rows.length === 0
    ? ''
    : `<table class="facts"><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

/** Rows under a head; the first column names the rows, the others stand to the right. */
export function valueTable({ head, rows }: Pick<ReportTable, 'head' | 'rows'>): string {
  if (rows.length === 0) return '';
  const top = head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`);
  const lines = rows.map(([name = '', ...values]) => {
    const cells = values.map((value) => `<td>${escapeHtml(value)}</td>`);
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table class="values"><thead><tr>${top.join('')}</tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}

/** A number with four digits that count: `0.1235`, `12.35`, `12,350`, `1.2e-7`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (size < 1e-3 || size >= 1e9) return trimExponent(value.toExponential(2));
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

/** `62.5 %`. */
export function formatRate(rate: number): string {
  return Number.isFinite(rate) ? `${(100 * rate).toFixed(1)} %` : String(rate);
}

/** A whole number with separators. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

function trimExponent(text: string): string {
  return text.replace(/\.?0*e\+?/, 'e');
}
