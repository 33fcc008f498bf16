/** The ONNX form of every fused kernel. */

import type { Attributes } from '../graph/graph.ts';
import type { Lowering } from './lowering.ts';

/** Lowerings by name of the fused kernel. */
export const FUSED_LOWERINGS: Readonly<Record<string, Lowering<Attributes>>> = {};
