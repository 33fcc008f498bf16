/** Golden cases found by the pattern of their names, in test/golden or in the folder that TUBELET_TEST_GOLDEN names. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { projectFile } from './project.ts';
import { readTensors } from './safetensors.ts';
import type { Tensor } from './safetensors.ts';

/** How close numbers must be: `|x - golden| <= atol + rtol * |golden|`. */
export interface Tolerance {
  readonly atol?: number;
  readonly rtol?: number;
}

/** A case: the content of its JSON, and its tensors on demand. */
export interface GoldenCase {
  readonly name: string;
  // eslint-disable-next-line typescript/no-explicit-any
  readonly facts: Record<string, any>;
  /** Tensors of `<name>.<part>.safetensors`, or of `<name>.safetensors` without a part. */
  tensors(part?: string): Record<string, Tensor>;
  /** Whether there is such a file. */
  hasPart(part: string): boolean;
  /** Another case of the same folder. */
  named(name: string): GoldenCase;
  /** The first case whose name fits and whose seeds are these: some cases share inputs with another one. */
  sibling(pattern: RegExp, seeds: unknown): GoldenCase;
}

/** Folder of the cases. */
function goldenFolder(): string {
  return process.env['TUBELET_TEST_GOLDEN'] ?? projectFile('test', 'golden');
}

/** Reads one case. */
function goldenCase(name: string): GoldenCase {
  const facts = JSON.parse(readFileSync(join(goldenFolder(), `${name}.json`), 'utf8')) as Record<
    string,
    unknown
  >;
  const fileOf = (part?: string): string =>
    join(goldenFolder(), `${name}${part === undefined ? '' : `.${part}`}.safetensors`);
  return {
    name,
    facts,
    tensors: (part) => readTensors(fileOf(part)),
    hasPart: (part) => existsSync(fileOf(part)),
    named: goldenCase,
    sibling: (pattern, seeds) => {
      const found = caseNames(pattern)
        .map(goldenCase)
        .find((one) => one.name !== name && isDeepStrictEqual(one.facts['seeds'], seeds));
      if (found === undefined) throw new Error(`${name} has no sibling ${String(pattern)}`);
      return found;
    },
  };
}

function caseNames(pattern: RegExp): string[] {
  return readdirSync(goldenFolder())
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => pattern.test(name))
    .sort();
}

/** Names of the kinds of cases that these tests know. */
const ANY_CASE = /^[a-i]\d+_/;

/**
 * Declares one test per case whose name fits. Without any it is skipped where a folder of one's own has cases of other kinds, and
 * fails where the folder has none at all or is that of the repository.
 */
export function testGoldenCases(
  title: string,
  pattern: RegExp,
  run: (t: ExecutionContext, golden: GoldenCase) => Promise<void> | void,
): void {
  const names = caseNames(pattern);
  if (names.length === 0) {
    const isOwn = process.env['TUBELET_TEST_GOLDEN'] !== undefined;
    const missing = `golden: no case ${String(pattern)} in ${goldenFolder()}: ${title}`;
    if (isOwn && caseNames(ANY_CASE).length > 0) test.skip(missing, (t) => t.pass());
    else test(missing, (t) => t.fail('Check TUBELET_TEST_GOLDEN.'));
  }
  for (const name of names) {
    test(`golden ${name}: ${title}`, (t) => run(t, goldenCase(name)));
  }
}

/** The largest excess of any element over its tolerance; at most 0 if all are within. */
export function worstExcess(
  actual: ArrayLike<number>,
  golden: ArrayLike<number>,
  { atol = 0, rtol = 0 }: Tolerance,
): number {
  if (actual.length !== golden.length) return Infinity;
  let worst = -Infinity;
  for (let i = 0; i < golden.length; i++) {
    const value = golden[i]!;
    const excess = Math.abs(actual[i]! - value) - atol - rtol * Math.abs(value);
    worst = Math.max(worst, Number.isNaN(excess) ? Infinity : excess);
  }
  return worst;
}

/** Largest difference, and the largest golden value. */
export function largestDifference(
  actual: ArrayLike<number>,
  golden: ArrayLike<number>,
): { readonly difference: number; readonly largest: number } {
  if (actual.length !== golden.length) return { difference: Infinity, largest: 0 };
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < golden.length; i++) {
    const gap = Math.abs(actual[i]! - golden[i]!);
    difference = Math.max(difference, Number.isNaN(gap) ? Infinity : gap);
    largest = Math.max(largest, Math.abs(golden[i]!));
  }
  return { difference, largest };
}
