/** Door of `train`: runs of pre-training, fine-tuning and probing, and what comes of them. */

export { WEIGHTS_CHOICES, findWeights } from './checkpoint.ts';
export type { Best, WeightsChoice } from './checkpoint.ts';
export { clipConfig } from './clip-options.ts';
export { encoderOf } from './encoder-of.ts';
export { evaluate } from './evaluate.ts';
export type { EvaluateOptions, Evaluation } from './evaluate.ts';
export { NETWORK_PARTS, exportNetwork } from './export-network.ts';
export type { ExportNetworkOptions, ExportedNetwork, NetworkPart } from './export-network.ts';
export { writeFeatures } from './features.ts';
export type { FeaturesSummary } from './features.ts';
export { finetune } from './finetune.ts';
export type { FinetuneOptions } from './finetune.ts';
export { pretrain } from './pretrain.ts';
export type { PretrainOptions } from './pretrain.ts';
export { probe } from './probe.ts';
export type { ProbeOptions, ProbeProgress, ProbeSummary } from './probe.ts';
export { reconstruct } from './reconstruct.ts';
export type { ReconstructOptions, Reconstruction, Reconstructions } from './reconstruct.ts';
export { readRunConfig } from './run-folder.ts';
export type { OpenRunOptions, ProbeConfig, RunConfig, RunModel } from './run-folder.ts';
export type { RunFacts, RunSummary, StepReport, TrainingHooks } from './training-job.ts';
