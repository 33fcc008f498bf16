/** Door of `weights`: files of weights read and written, VideoMAE's names, what is loaded into what. */

export { convertWeights } from './convert-weights.ts';
export type { ConvertWeightsOptions, ConvertedWeights } from './convert-weights.ts';
export { hashWeights, inspectWeights } from './inspect-weights.ts';
export type { WeightFacts, WeightsInspection } from './inspect-weights.ts';
export { MODEL_KINDS, NAME_STYLES, detectNames, toHfNames, toOfficialName } from './names.ts';
export type { FusedPart, ModelKind, NameStyle, OfficialName } from './names.ts';
export { openWeights } from './open-weights.ts';
export { planLoad } from './plan-load.ts';
export type { LoadPlan, LoadRule, WantedWeight } from './plan-load.ts';
export { renameWeights } from './rename-weights.ts';
export type { RenameOptions } from './rename-weights.ts';
export { countValues, readAllWeights, weightsInMemory } from './weight.ts';
export type { Weight, WeightData, WeightsFile } from './weight.ts';
export { writeSafetensors } from './write-safetensors.ts';
export type { WriteSafetensorsOptions } from './write-safetensors.ts';
