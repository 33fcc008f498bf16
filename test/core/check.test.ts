import test from 'ava';
import { checkInteger, checkNumber, checkOneOf } from '../../lib/core/index.ts';

test('integers', (t) => {
  t.notThrows(() => checkInteger('stride', 3, { min: 1, max: 3 }));
  for (const value of [0, 4, 1.5, Number.NaN, Infinity]) {
    t.throws(() => checkInteger('stride', value, { min: 1, max: 3 }), {
      instanceOf: RangeError,
      message: `"stride" must be an integer from 1 to 3 (got ${value}).`,
    });
  }
  t.throws(() => checkInteger('seed', -1, { min: 0 }), {
    message: '"seed" must be an integer of at least 0 (got -1).',
  });
  t.throws(() => checkInteger('n', 9, { max: 8 }), {
    message: '"n" must be an integer of at most 8 (got 9).',
  });
});

test('numbers', (t) => {
  t.notThrows(() => checkNumber('fps', 0.5, { min: 0.1 }));
  t.throws(() => checkNumber('fps', Number.NaN), { message: '"fps" must be a number (got NaN).' });
  t.throws(() => checkNumber('fps', 0, { min: 0.1 }), { instanceOf: RangeError });
});

test('choices', (t) => {
  t.notThrows(() => checkOneOf('layout', 'frames', ['frames', 'tubelets']));
  t.throws(() => checkOneOf('layout', 'cubes', ['frames', 'tubelets']), {
    instanceOf: RangeError,
    message: '"layout" must be one of frames, tubelets (got "cubes").',
  });
});
