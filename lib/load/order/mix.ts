/**
 * Mixing of several datasets by weight, as a function of the place in an endless sequence. The j-th sample of a dataset (from 0)
 * is due at `(j + 1/2) / share`, and samples come in the order in which they are due. Nothing is drawn, so the mixture is even
 * over any stretch, and nothing is stored.
 *
 * Source: the divisor method of Webster and Sainte-Laguë, which parliaments use to share seats.
 */

import { checkInteger } from '../../core/index.ts';

/** A dataset that takes part. */
export interface MixPart {
  readonly name: string;
  /** Above 0; only the ratio to the other weights counts. */
  readonly weight: number;
}

/** What stands at one place of a mixture. */
export interface MixPlace<Part extends MixPart> {
  readonly part: Part;
  /** Samples that this part gave before. */
  readonly index: number;
}

/** A part in the middle of a look-up. */
interface Lane<Part extends MixPart> {
  readonly part: Part;
  readonly share: number;
  given: number;
}

/**
 * Makes a mixture: from a place, 0 … 2^48, to the dataset and its sample, in a time that depends on the number of datasets only.
 * Before any place `n`, each of `k` datasets has given its share of `n` up to an error of at most `1/2 + share * (k - 2) / 2`:
 * always below 1 for up to three datasets, and beyond that for those with a share below `1 / (k - 2)`.
 * The order of the parts does not matter.
 *
 * @throws {RangeError} if there are no parts, a name comes twice or a weight is not above 0
 */
export function createMix<Part extends MixPart>(
  parts: readonly Part[],
): (place: number) => MixPlace<Part> {
  checkParts(parts);
  const sorted = parts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const slack = parts.length / 2 + 1; // More than the error, so no part starts with samples that are not its turn yet.
  return (place) => {
    checkInteger('place', place, { min: 0, max: 2 ** 48 });
    const lanes = sorted.map((part): Lane<Part> => {
      const share = part.weight / total;
      return { part, share, given: Math.max(0, Math.floor(share * place - slack)) };
    });
    let left = place - lanes.reduce((sum, { given }) => sum + given, 0);
    for (; left > 0; left--) findNext(lanes).given += 1;
    const { part, given: index } = findNext(lanes);
    return { part, index };
  };
}

/** The lane whose next sample is due first; of several, the first by name. */
function findNext<Part extends MixPart>(lanes: readonly Lane<Part>[]): Lane<Part> {
  return lanes.reduce((first, lane) => (dueOf(lane) < dueOf(first) ? lane : first));
}

function dueOf({ given, share }: Lane<MixPart>): number {
  return (given + 0.5) / share;
}

function checkParts(parts: readonly MixPart[]): void {
  if (parts.length === 0) throw new RangeError('"datasets" must hold at least one (got none).');
  for (const { name, weight } of parts) {
    if (!Number.isFinite(weight) || weight <= 0) {
      throw new RangeError(`"weight" of ${name} must be a number above 0 (got ${String(weight)}).`);
    }
  }
  if (new Set(parts.map(({ name }) => name)).size < parts.length) {
    throw new RangeError(
      `"datasets" must have a name each (got ${parts.map(({ name }) => name).join(', ')}).`,
    );
  }
}
