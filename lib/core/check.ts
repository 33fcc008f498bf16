/** Checks of option values: a caller's mistake is a `TypeError` or `RangeError` that names the option and the value. */

interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Checks that an option is a safe integer within inclusive bounds.
 *
 * @throws {RangeError} naming the option and its value
 */
export function checkInteger(name: string, value: number, bounds: NumberBounds = {}): void {
  if (!Number.isSafeInteger(value) || outside(value, bounds)) {
    throw new RangeError(`"${name}" must be an integer${range(bounds)} (got ${String(value)}).`);
  }
}

/**
 * Checks that an option is a finite number within inclusive bounds.
 *
 * @throws {RangeError} naming the option and its value
 */
export function checkNumber(name: string, value: number, bounds: NumberBounds = {}): void {
  if (!Number.isFinite(value) || outside(value, bounds)) {
    throw new RangeError(`"${name}" must be a number${range(bounds)} (got ${String(value)}).`);
  }
}

/**
 * Checks that an option is one of the listed values.
 *
 * @throws {RangeError} listing the valid values
 */
export function checkOneOf<T extends string>(
  name: string,
  value: string,
  valid: readonly T[],
): asserts value is T {
  if (!(valid as readonly string[]).includes(value)) {
    throw new RangeError(`"${name}" must be one of ${valid.join(', ')} (got "${value}").`);
  }
}

function outside(value: number, { min = -Infinity, max = Infinity }: NumberBounds): boolean {
  return value < min || value > max;
}

function range({ min, max }: NumberBounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
