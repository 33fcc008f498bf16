/**
 * The inverse cosine transform of a block once more, one value at a time.
 *
 * Source: the accurate transform of libjpeg (jidctint.c).
 */

/** 64 samples, by rows, of 64 coefficients times their quantisers. */
export function plainTransform(coefficients: ArrayLike<number>): number[] {
  const columns: number[] = Array.from({ length: 64 }, () => 0);
  for (let x = 0; x < 8; x++) {
    const column = Array.from({ length: 8 }, (_, y) => coefficients[y * 8 + x]!);
    for (const [y, value] of transformLine(column, 11).entries()) columns[y * 8 + x] = value;
  }
  return Array.from({ length: 8 }, (_, y) =>
    transformLine(columns.slice(y * 8, y * 8 + 8), 18).map((value) =>
      Math.max(0, Math.min(255, value + 128)),
    ),
  ).flat();
}

/** Eight values of eight, without the last `shift` bits. */
function transformLine(line: readonly number[], shift: number): number[] {
  const at = (i: number): number => line[i]!;
  const z1 = (at(2) + at(6)) * 4433;
  const [e2, e3] = [z1 - at(6) * 15_137, z1 + at(2) * 6270];
  const [e0, e1] = [(at(0) + at(4)) * 8192, (at(0) - at(4)) * 8192];
  const even = [e0 + e3, e1 + e2, e1 - e2, e0 - e3];
  const z5 = (at(7) + at(3) + at(5) + at(1)) * 9633;
  const a = -(at(7) + at(1)) * 7373;
  const b = -(at(5) + at(3)) * 20_995;
  const c = -(at(7) + at(3)) * 16_069 + z5;
  const d = -(at(5) + at(1)) * 3196 + z5;
  const odd = [
    at(1) * 12_299 + a + d,
    at(3) * 25_172 + b + c,
    at(5) * 16_819 + b + d,
    at(7) * 2446 + a + c,
  ];
  const half = 2 ** (shift - 1);
  const sums = even.map((value, i) => (value + odd[i]! + half) >> shift);
  const differences = even.map((value, i) => (value - odd[i]! + half) >> shift);
  return [...sums, ...differences.reverse()];
}
