/** Variables that a function makes while it runs: tfjs keeps them for ever, here they live as long as the call. */

import { tf } from '../ops/index.ts';

/** Calls `body` and disposes the variables made in it. */
export function disposeNewVariables<T>(body: () => T): T {
  const before = new Set(Object.values(tf.engine().registeredVariables));
  try {
    return body();
  } finally {
    for (const variable of Object.values(tf.engine().registeredVariables)) {
      if (!before.has(variable)) variable.dispose();
    }
  }
}
