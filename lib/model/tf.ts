/**
 * The tensor library. Its welcome text, printed once on Node when the plain backend is used, tells users to install something that
 * tubelet does not need, so it is switched off.
 */

import * as tf from '@tensorflow/tfjs';

tf.env().set('IS_NODE', false);

export { tf };
