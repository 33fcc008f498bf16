/** The ONNX form of every fused kernel. */

import type { FusedKernelName } from '../../ops/index.ts';
import type { Attributes } from '../graph/graph.ts';
import { lowerAdamw } from './fused-adamw.ts';
import { lowerAttention, lowerAttentionGrad } from './fused-attention.ts';
import { lowerGelu, lowerGeluAgain, lowerGeluGrad } from './fused-gelu.ts';
import { lowerLayerNorm, lowerLayerNormAgain, lowerLayerNormGrad } from './fused-norm.ts';
import type { Lowering } from './lowering.ts';

/** Lowerings by name of the fused kernel; a missing one does not compile. */
export const FUSED_LOWERINGS: Readonly<Record<FusedKernelName, Lowering<Attributes>>> = {
  AdamW: lowerAdamw,
  Attention: lowerAttention,
  AttentionGrad: lowerAttentionGrad,
  Gelu: lowerGelu,
  GeluAgain: lowerGeluAgain,
  GeluGrad: lowerGeluGrad,
  LayerNorm: lowerLayerNorm,
  LayerNormAgain: lowerLayerNormAgain,
  LayerNormGrad: lowerLayerNormGrad,
};
