/**
 * tfjs, prepared: its whole package (the core alone has no gradients registered in Node), without the banner that its cpu backend
 * prints to advertise another package.
 */

import * as tf from '@tensorflow/tfjs';

const cpu: unknown = tf.findBackend('cpu');
if (typeof cpu === 'object' && cpu !== null && 'firstUse' in cpu) cpu.firstUse = false;

export { tf };
