import { readFileSync } from 'node:fs';
import test from 'ava';
import { ERROR_CODES, TubeletError, describeError } from '../../lib/index.ts';
import { projectFile } from '../helpers/project.ts';

test('the README lists exactly the codes there are', (t) => {
  const readme = readFileSync(projectFile('README.md'), 'utf8');
  const listed = [...readme.matchAll(/^\| `(TUBE_[A-Z_]+)` +\|/gm)].map(([, code]) => code!);
  t.deepEqual(listed.toSorted(), ERROR_CODES.toSorted());
});

test('every code says what happened and what to do', (t) => {
  for (const code of ERROR_CODES) {
    const { what, hint } = describeError(code);
    t.regex(code, /^TUBE_[A-Z_]+$/);
    t.regex(what, /^\S.{10,}[^.]$/, code);
    t.regex(hint, /^[A-Z].*[.?]$/, code);
  }
});

test('a message names code, facts and values', (t) => {
  const cause = new Error('deep down');
  const error = new TubeletError(
    'TUBE_SAMPLE_DAMAGED',
    { key: 'a-1', shard: 'train-000001', note: null },
    { cause },
  );
  t.is(error.message, 'TUBE_SAMPLE_DAMAGED: sample is damaged (key a-1, shard train-000001)');
  t.is(error.code, 'TUBE_SAMPLE_DAMAGED');
  t.is(error.cause, cause);
  t.is(error.name, 'TubeletError');
  t.is(error.hint, describeError('TUBE_SAMPLE_DAMAGED').hint);
});

test('an error survives the way through another process', (t) => {
  const error = new TubeletError('TUBE_NOT_VIDEO', { message: 'moov atom not found', at: 3 });
  const back = TubeletError.fromPlain(structuredClone(error.toPlain()));
  t.deepEqual(back.toPlain(), error.toPlain());
  t.is(back.message, error.message);
});
