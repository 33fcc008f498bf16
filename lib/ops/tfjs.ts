/**
 * tfjs, prepared: its whole package (the core alone has no gradients registered in Node), without the banner that its cpu backend
 * prints in Node to advertise another package.
 */

import * as tf from '@tensorflow/tfjs';

// Asked only for the banner: the platform has been chosen when the package was loaded.
tf.env().set('IS_NODE', false);

export { tf };
