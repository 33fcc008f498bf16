/** Arithmetic on a list of byte arrays that are filled one after the other, as if they were one. */

/** Number of bytes in all parts. */
export function countParts(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** Views of the bytes `start` (inclusive) to `end` (exclusive), without empty ones. */
export function sliceParts(parts: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let first = 0;
  for (const part of parts) {
    const from = Math.max(start - first, 0);
    const to = Math.min(end - first, part.length);
    if (from < to) slices.push(part.subarray(from, to));
    first += part.length;
  }
  return slices;
}

/** Copies bytes into parts of the same total length. */
export function copyInto(parts: readonly Uint8Array[], bytes: Uint8Array): void {
  let copied = 0;
  for (const part of parts) {
    part.set(bytes.subarray(copied, copied + part.length));
    copied += part.length;
  }
}
