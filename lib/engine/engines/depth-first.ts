/**
 * The order in which ONNX Runtime runs a model. It goes from every node whose results nobody reads back to what that needs, and takes the
 * last of them in the file first, the last input first (version 1.30). In a file whose gradients of weights come before those of the layers
 * below, all gradients of weights are put off to the end of a step, and all that they are made of is kept: 4.0 instead of 2.3 GB when ViT-S is
 * fine-tuned with 4 clips. So a model is given with its nodes the other way round, which ONNX Runtime reads, though ONNX asks for the order of
 * use in files that others are to read. A version that orders them itself would need more memory, and nothing else would change.
 */

import type { OnnxModel } from '../onnx/model.ts';

/** The model with its nodes in the order in which ONNX Runtime runs each of them as late as its first reader allows. */
export function depthFirst(model: OnnxModel): OnnxModel {
  return { ...model, nodes: model.nodes.toReversed() };
}
