/** Shapes and dtypes as users write them. */

import { checkInteger } from '../core/index.ts';
import type { Dtype } from './graph/graph.ts';
import type { NamedSpecs } from './trace/trace.ts';

/** A shape, for float32, or shape and dtype. */
export type SpecLike =
  readonly number[] | { readonly shape: readonly number[]; readonly dtype?: Dtype };

/**
 * Specs with their dtypes.
 *
 * @throws {RangeError} for a name or shape that cannot be
 */
export function resolveSpecs(
  option: string,
  specs: Readonly<Record<string, SpecLike>>,
): NamedSpecs {
  return Object.fromEntries(
    Object.entries(specs).map(([name, one]) => {
      if (!/^[\w./:-]+$/u.test(name)) {
        throw new RangeError(
          `"${option}" has a name of other than letters, digits and . / : - _ (got "${name}").`,
        );
      }
      const { shape, dtype = 'float32' } = isShape(one) ? { shape: one } : one;
      for (const size of shape) checkInteger(`${option}.${name}`, size, { min: 1 });
      return [name, { shape: [...shape], dtype }];
    }),
  );
}

/**
 * Makes sure that no name is both.
 *
 * @throws {RangeError} for one that is
 */
export function checkApart(inputs: NamedSpecs, state: NamedSpecs): void {
  const twice = Object.keys(inputs).find((one) => Object.hasOwn(state, one));
  if (twice !== undefined) throw new RangeError(`"inputs" and "state" both have "${twice}".`);
}

function isShape(spec: SpecLike): spec is readonly number[] {
  return Array.isArray(spec);
}
