/** Door of `model`: VideoMAE as functions of parameters and inputs. */

export {
  applyHead,
  classifierFeatures,
  classify,
  encodeClips,
  probeFeatures,
} from './classifier.ts';
export type { ClassifierInputs, ClipInputs } from './classifier.ts';
export {
  HUGGING_FACE_EPSILONS,
  MODEL_SIZES,
  OFFICIAL_EPSILONS,
  countTokens,
  dropPathRates,
  tokenGrid,
  tokenLength,
} from './config.ts';
export type {
  ClassifierConfig,
  EncoderConfig,
  Epsilons,
  ModelSize,
  PretrainConfig,
  TransformerSize,
} from './config.ts';
export { encoderFlops, pretrainFlops } from './flops.ts';
export { drawParameters, initialise } from './initialise.ts';
export type {
  InitOptions,
  InitRule,
  NamedParameter,
  ParameterValues,
  Weights,
} from './initialise.ts';
export { normaliseBatch, normaliseByRunning } from './batch-norm.ts';
export type { BatchNormOptions, RunningStats } from './batch-norm.ts';
export { contrastLoss, mocoLoss, runMocoHead } from './moco.ts';
export type { ContrastOptions, HeadPass } from './moco.ts';
export {
  classifierShapes,
  countParameters,
  encoderShapes,
  pretrainShapes,
} from './parameter-shapes.ts';
export type { ParameterShapes } from './parameter-shapes.ts';
export type { ParameterTensors } from './parameters.ts';
export { PIXEL_LOSS_NAMES } from './pixel-losses.ts';
export type { PixelLoss } from './pixel-losses.ts';
export { positionTable } from './positions.ts';
export { encodeVisible, predictMasked, pretrainLoss } from './pretrain-model.ts';
export type { PredictionInputs, PretrainInputs, VisibleInputs } from './pretrain-model.ts';
export { tokenTargets } from './targets.ts';
export type { TokenTargetOptions } from './targets.ts';
