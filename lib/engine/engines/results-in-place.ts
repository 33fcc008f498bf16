/**
 * Keeps onnxruntime-node from copying results. All outputs of a run are written to arrays that it is given, and then, in version
 * 1.30, it copies every one of them to a new array, weights and moments too: 1.1 GB and an eighth of the time of a step of ViT-B. It does so in the order of the
 * model's outputs and gives up at one that is a list, which it cannot turn into JavaScript. So models get an empty list as first
 * output. A version that knows lists would copy again, and nothing else would change.
 */

import { messageText } from '../../core/index.ts';
import { ONNX_TYPES, int } from '../onnx/model.ts';
import type { OnnxModel } from '../onnx/model.ts';

/** Name of the list among the outputs; ask for it with null. */
export const NO_COPIES = '%no-copies';

/** The model with the list as first output. */
export function withoutCopies(model: OnnxModel): OnnxModel {
  const list = {
    opType: 'SequenceEmpty',
    domain: '',
    inputs: [],
    outputs: [NO_COPIES],
    attributes: { dtype: int(ONNX_TYPES.float32) },
  };
  const output = { name: NO_COPIES, type: 'float32', shape: [], isSequence: true } as const;
  return { ...model, nodes: [...model.nodes, list], outputs: [output, ...model.outputs] };
}

/** True for the error of a run that has done all its work and then met the list. */
export function isDone(error: unknown): boolean {
  return messageText(error).includes('Non tensor type is temporarily not supported');
}
