/** Bounded concurrency for calls that are not a sequence. */

/** Makes a function that runs work at once while fewer than `count` runs are under way, and else in order of arrival. */
export function createLimit(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let numFree = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (numFree === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else numFree -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) numFree += 1;
      else next(); // The slot goes from hand to hand, so that nobody can slip in between.
    }
  };
}
