/** What is wrong with a file of weights, before its path is known: becomes a coded error where the file was opened. */

import { TubeletError } from '../core/index.ts';

type FaultCode = 'TUBE_WEIGHTS_DAMAGED' | 'TUBE_WEIGHTS_UNSAFE' | 'TUBE_WEIGHTS_UNSUPPORTED';

/** Characters of a message that comes from a file. */
const MAX_SHOWN = 300;

/** Node.js reads no more at once. */
const MAX_WEIGHT_BYTES = 2 ** 31 - 1;

/** A reason to refuse a file. */
export class WeightsFault extends Error {
  readonly code: FaultCode;
  /** The name of the function or class that is at fault. */
  readonly global: string | null;

  constructor(
    message: string,
    code: FaultCode = 'TUBE_WEIGHTS_DAMAGED',
    global: string | null = null,
  ) {
    super(message);
    this.code = code;
    this.global = global;
  }
}

/** Runs a part of reading; a fault becomes the error of the file. */
export async function namingFile<T>(path: string, part: () => T | Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (error) {
    if (!(error instanceof WeightsFault)) throw error;
    const { code, message, global } = error;
    const named = global === null ? {} : { global: printable(global) };
    const details = { path, ...named, message: printable(message) };
    throw new TubeletError(code, details, { cause: error });
  }
}

/** A text from a file, for a message: such texts may be long or play tricks with the terminal. */
export function printable(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return shown.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd');
}

/**
 * Refuses a weight that is too large to be read.
 *
 * @throws {WeightsFault} TUBE_WEIGHTS_UNSUPPORTED
 */
export function checkWeightBytes(name: string, bytes: number): void {
  if (bytes > MAX_WEIGHT_BYTES) {
    throw new WeightsFault(`${name} has ${bytes} bytes`, 'TUBE_WEIGHTS_UNSUPPORTED');
  }
}
