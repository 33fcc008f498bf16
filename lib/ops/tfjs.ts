/**
 * tfjs, prepared: its whole package (the core alone has no gradients registered in Node), without the banner that its cpu backend
 * prints to advertise another package.
 */

import * as tf from '@tensorflow/tfjs';

// tfjs makes its backends again when it chooses one, so that this has to hold for all that are to come.
const cpu = tf.findBackend('cpu') as object | null;
if (cpu !== null) {
  const isFirstUse = { get: () => false, set: () => undefined };
  Object.defineProperty(Object.getPrototypeOf(cpu), 'firstUse', isFirstUse);
  Object.assign(cpu, { firstUse: false });
}

export { tf };
