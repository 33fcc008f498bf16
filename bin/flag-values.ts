/** Values of flags that are more than a text or a number. All give undefined for a flag that is not there. */

import { UsageError } from './flags.ts';
import type { Arguments } from './flags.ts';

/** Reads a flag. */
export type ReadFlag = (args: Arguments, name: string) => unknown;

/** A text. */
export const readText: ReadFlag = (args, name) => args.text(name);

/** A number. */
export const readNumber: ReadFlag = (args, name) => args.number(name);

/** All texts of a flag that may be given several times. */
export const readList: ReadFlag = (args, name) => {
  const all = args.list(name);
  return all.length === 0 ? undefined : all;
};

/** As another reader, but null for the word `none`, which takes back what a preset says. */
export function orNone(read: ReadFlag): ReadFlag {
  return (args, name) => (args.text(name) === 'none' ? null : read(args, name));
}

/** A number of epochs, or `forever`. */
export const readEpochs: ReadFlag = (args, name) =>
  args.text(name) === 'forever' ? Infinity : args.number(name);

const POWERS = { k: 10, m: 20, g: 30, t: 40 } as const;

/** Bytes, with K, M, G or T for 2^10, 2^20, 2^30, 2^40. */
export const readBytes: ReadFlag = (args, name) => {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([kmgt]?)$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(`--${name} must look like 2147483648, 512M or 2G (got "${text}").`);
  }
  const power = POWERS[(unit?.toLowerCase() ?? '') as keyof typeof POWERS] ?? 0;
  return Math.floor(Number(digits) * 2 ** power);
};

/** Frames, rows and columns, such as `2x16x16`. */
export function readTubelet(args: Arguments, name: string): [number, number, number] | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const [, t, p, q] = /^(\d+)x(\d+)x(\d+)$/.exec(text) ?? [];
  if (t === undefined) {
    throw new UsageError(`--${name} must look like 2x16x16 (got "${text}").`);
  }
  return [Number(t), Number(p), Number(q)];
}

/** One number per colour, such as `0.485,0.456,0.406`. */
export const readColour: ReadFlag = (args, name) => {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const values = text.split(',').map((one) => (one.trim() === '' ? Number.NaN : Number(one)));
  if (values.length !== 3 || !values.every(Number.isFinite)) {
    throw new UsageError(`--${name} must look like 0.485,0.456,0.406 (got "${text}").`);
  }
  return values;
};
