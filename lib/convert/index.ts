/** Door of `convert`: a source becomes a dataset of shards. */

export { convert, planConvert } from './convert.ts';
export type { ConvertPlan, ConvertSummary } from './convert.ts';
export type { ContentOptions, ResolvedContent, VideoContent } from './options.ts';
export type { Plan } from './plan.ts';
export type { ConvertProgress } from './progress.ts';
export type { ConvertOptions } from './run-options.ts';
export { TOOL } from './tool.ts';
export type { RetryReason } from './video-outcome.ts';
