import test from 'ava';
import { recordClassification, reportHtml } from '../../lib/records/index.ts';
import type { ReportData } from '../../lib/records/index.ts';
import { roundAxis } from '../../lib/records/report/ticks.ts';
import { escapeHtml, formatNumber, formatRate } from '../../lib/records/report/html.ts';

const EVIL = `</style></title><script>alert(1)</script>"'&<img src=x onerror=y>\u0000\ud800`;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** Elements that need no end. */
const VOID = new Set(['meta', 'img', '!doctype', 'line', 'path']);

/** Names of all start tags; fails if an element is not closed where it should be. */
function startTags(html: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [tag, slash, name = ''] of html.matchAll(
    /<(\/?)([a-z!][a-z0-9]*)(?:"[^"]*"|[^">])*>/gi,
  )) {
    const lower = name.toLowerCase();
    if (slash === '/') {
      const last = open.pop();
      if (last !== lower) throw new Error(`</${lower}> closes <${String(last)}>`);
      continue;
    }
    names.push(lower);
    if (!VOID.has(lower) && !tag.endsWith('/>')) open.push(lower);
  }
  if (open.length > 0) throw new Error(`open at the end: ${open.join()}`);
  return names;
}

/** Content of the page without its style. */
function bodyOf(html: string): string {
  return html.slice(html.indexOf('<body>'));
}

function classification(classNames: readonly string[]): ReturnType<typeof recordClassification> {
  const videos = classNames.flatMap((name, label) =>
    [0, 1, 2, 3].map((i) => ({ key: `${name}/${i}`, label })),
  );
  // Of every class one is missing, one is taken for the next class, two are right.
  const scores = videos
    .filter((_, i) => i % 4 !== 0)
    .map(({ key, label }, i) => ({
      key,
      numViews: i === 0 ? 1 : 2,
      probabilities: classNames.map((_, other) =>
        other === (i % 3 === 0 ? (label + 1) % classNames.length : label) ? 1 : 0,
      ),
    }));
  return recordClassification(videos, scores, { classNames, plannedViews: 2 });
}

const full: ReportData = {
  title: EVIL,
  summary: EVIL,
  highlights: [[EVIL, EVIL]],
  charts: [
    {
      title: EVIL,
      series: [
        {
          name: EVIL,
          points: [
            [0, 1],
            [1, 2],
          ],
        },
      ],
    },
  ],
  classification: classification([EVIL, 'b', 'c']),
  reconstructions: [{ caption: EVIL, original: PNG, masked: PNG, reconstructed: PNG }],
  reconstructionNote: EVIL,
  facts: [[EVIL, EVIL]],
  recipe: { [EVIL]: { [EVIL]: EVIL }, list: [EVIL] },
};

test('every text of the data is shown as it is, never taken for HTML', (t) => {
  const html = reportHtml(full);
  const tags = new Set(startTags(html));
  for (const name of ['script', 'b1', 'iframe', 'object', 'link', 'base', 'form'])
    t.false(tags.has(name), name);
  const plain = reportHtml(JSON.parse(JSON.stringify(full, swapEvil)) as ReportData);
  // Hostile texts make not one element more than harmless ones.
  t.deepEqual(startTags(html), startTags(plain));
  t.false(/[\0\ud800]/u.test(html));
  t.true(
    html.includes(
      '&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;img src=x onerror=y&gt;\ufffd\ufffd',
    ),
  );
});

/** Harmless in place of hostile, bytes as they are. */
function swapEvil(_: string, value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(EVIL, 'good');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.replaceAll(EVIL, 'good'), inner as unknown]),
  );
}

test('the page needs no other file, runs no script and asks nobody', (t) => {
  const html = reportHtml(full);
  t.true(html.includes(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`));
  t.false(/https?:|\/\/[a-z]|@import|url\(/i.test(html.replaceAll('&', '')));
  t.deepEqual(
    Array.from(html.matchAll(/ src="(.{22})/g), ([, start]) => start),
    ['data:image/png;base64,', 'data:image/png;base64,', 'data:image/png;base64,'],
  );
  t.true(html.includes(`src="data:image/png;base64,${PNG.toString('base64')}"`));
  t.true(html.includes('prefers-color-scheme: dark'));
  t.is(reportHtml(full), html);
});

test('sections without data are left out', (t) => {
  const html = reportHtml({ title: 'nothing yet' });
  t.false(bodyOf(html).includes('<section'));
  startTags(html);
  const empty = reportHtml({
    title: 'x',
    charts: [],
    facts: [],
    reconstructions: [],
    highlights: [],
  });
  t.false(bodyOf(empty).includes('<section'));
});

test('a chart has its points in their places, and gaps where values are missing', (t) => {
  const html = reportHtml({
    title: 'x',
    charts: [
      {
        title: 'loss',
        series: [
          {
            name: 'train',
            points: [
              [0, 0],
              [5, 4],
              [10, Number.NaN],
              [15, 2],
              [20, 1],
            ],
          },
          { name: 'validation', points: [[10, 3]] },
        ],
      },
    ],
  });
  const paths = Array.from(html.matchAll(/ d="([^"]*)"/g), ([, path]) => path);
  // The plot reaches from 48 to 426 and from 216 up to 10; the axis from 0 to 4.
  t.deepEqual(paths, ['M48.0 216.0L142.5 10.0M331.5 113.0L426.0 164.5', 'M237.0 61.5']);
  t.is(html.match(/<circle/g)?.length, 5);
  t.true(html.includes('<title>step 5: 4</title>'));
  t.true(html.includes('validation <b>3</b>'));
  t.deepEqual(
    Array.from(html.matchAll(/text-anchor="end">([^<]*)</g), ([, text]) => text),
    ['0', '1', '2', '3', '4'],
  );
});

test('a rate is drawn from 0 to 100 %', (t) => {
  const html = reportHtml({
    title: 'x',
    charts: [
      {
        title: 'accuracy',
        unit: 'rate',
        series: [
          {
            name: 'a',
            points: [
              [1, 0.25],
              [2, 0.5],
            ],
          },
        ],
      },
    ],
  });
  t.true(html.includes('d="M48.0 164.5L426.0 113.0"'));
  t.true(html.includes('a <b>50.0 %</b>'));
});

test('a long noisy line is thinned without losing its peaks, and smoothed', (t) => {
  const points = Array.from({ length: 20_000 }, (_, i) => {
    const value = i === 7777 ? 100 : i % 2;
    return [i, value] as const;
  });
  const html = reportHtml({
    title: 'x',
    charts: [{ title: 'l', series: [{ name: 'a', points }] }],
  });
  const [raw = '', mean = ''] = Array.from(html.matchAll(/ d="([^"]*)"/g), ([, path]) => path!);
  t.true(raw.includes(' 10.0'), 'the peak');
  t.true(raw.split('L').length < 1600 && mean.split('L').length < 1600);
  t.false(mean.includes(' 10.0'));
  t.true(html.includes('running mean'));
  const smooth = points.map(([step]) => [step, step ** 2] as const);
  const schedule = reportHtml({
    title: 'x',
    charts: [{ title: 'l', series: [{ name: 'a', points: smooth }] }],
  });
  t.false(schedule.includes('running mean'));
});

test('a chart of nothing, of one point and of one value is drawn', (t) => {
  for (const points of [
    [],
    [[3, 7]],
    [[1, Number.NaN]],
    [
      [1, 5],
      [2, 5],
    ],
  ] as [number, number][][]) {
    const html = reportHtml({
      title: 'x',
      charts: [{ title: 'l', series: [{ name: 'a', points }] }],
    });
    startTags(html);
    t.false(bodyOf(html).replaceAll('<b>NaN</b>', '').includes('NaN'), html);
    t.is(
      html.includes('No values.'),
      points.every(([, value]) => Number.isNaN(value)),
    );
  }
});

test('the numbers of a classification stand in tiles, bars and the table of confusions', (t) => {
  const html = reportHtml({ title: 'x', classification: classification(['a', 'b', 'c']) });
  t.true(html.includes('<dt>top-1</dt><dd>50.0 %</dd>'));
  t.false(html.includes('top-5'), 'with three classes it says nothing');
  t.true(html.includes('<dt>missing, counted as wrong</dt><dd>3</dd>'));
  t.is(html.match(/style="width:50\.0%"/g)?.length, 3);
  t.true(html.includes('2 of 4, 1 missing'));
  const cells = Array.from(
    html.matchAll(/<td class="heat([^"]*)" style="--share:(\d+)%"[^>]*>(\d*)</g),
    ([, marks, share, count]) => `${marks!.trim()} ${share} ${count}`,
  );
  const right = 'mid right 67 2';
  const next = ' 33 1';
  const none = ' 0 ';
  t.deepEqual(cells, [right, next, none, none, right, next, next, none, right]);
  t.true(html.includes('<th scope="row">a → b</th><td>1 of 4</td>'));
  t.true(html.includes('<li>a/0: no score, counted as wrong</li>'));
  t.true(html.includes('<li>a/1: 1 views only</li>'));
});

test('many classes become a picture', (t) => {
  const names = Array.from({ length: 40 }, (_, i) => `class ${i}`);
  const html = reportHtml({ title: 'x', classification: classification(names) });
  t.is(html.match(/<rect/g)?.length, 80);
  t.true(html.includes('viewBox="0 0 40 40"'));
  t.true(html.includes('<title>class 39 taken for class 0: 1 of 3</title>'));
  t.true(html.includes('<dt>top-5</dt>'));
  t.regex(html, /<details><summary>41 of them<\/summary>/);
  startTags(html);
});

test('a recipe is shown key by key, as --set takes them', (t) => {
  const recipe = {
    train: { lr: 3e-4, betas: [0.9, 0.95] },
    name: 'a',
    none: null,
    missing: undefined,
  };
  const html = reportHtml({ title: 'x', recipe });
  const rows = Array.from(
    html.matchAll(/<th scope="row">([^<]*)<\/th><td>([^<]*)<\/td>/g),
    ([, name, value]) => [name, value],
  );
  t.deepEqual(rows, [
    ['train.lr', '0.0003'],
    ['train.betas', '[0.9,0.95]'],
    ['name', 'a'],
    ['none', 'null'],
    ['missing', 'undefined'],
  ]);
});

for (const [low, high, count, ticks] of [
  [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0.03, 2.4, 4, [0, 1, 2, 3]],
  [0, 1.5e-4, 4, [0, 5e-5, 1e-4, 1.5e-4]],
  [-3, 3, 4, [-4, -2, 0, 2, 4]],
  [7, 7, 4, [6, 6.5, 7, 7.5, 8]],
  [0, 0, 4, [-1, -0.5, 0, 0.5, 1]],
] as const) {
  test(`round numbers from ${low} to ${high}`, (t) => {
    const axis = roundAxis(low, high, count);
    t.deepEqual(axis.ticks, ticks);
    t.true(axis.low <= low && axis.high >= high);
  });
}

test('texts and numbers for people', (t) => {
  t.is(escapeHtml(`a<b>"c"&'d'\u0007\t\n`), 'a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;\ufffd\t\n');
  t.deepEqual(
    [0, 0.12345, 12.345, 12345.6, 1e-4, 1.5e-7, -0.5, 3e9, Number.NaN, Infinity].map(formatNumber),
    ['0', '0.1235', '12.35', '12,346', '1e-4', '1.5e-7', '-0.5', '3e9', 'NaN', 'Infinity'],
  );
  t.deepEqual([0, 0.5, 1, Number.NaN].map(formatRate), ['0.0 %', '50.0 %', '100.0 %', 'NaN']);
});
