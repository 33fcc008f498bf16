/** Door of `study`: what is in a dataset and whether it is whole. */

export { ablate } from './ablation/ablate.ts';
export type {
  AblateOptions,
  AblationData,
  AblationEstimate,
  AblationProgress,
} from './ablation/options.ts';
export type { AblationChoice } from './ablation/plan.ts';
export type { AblationReport, AblationRow, SeedSpread } from './ablation/report.ts';
export { batchSheet } from './batch-sheet.ts';
export type { BatchSheetOptions } from './batch-sheet.ts';
export { contactSheet } from './contact-sheet.ts';
export type { ContactSheetOptions, ContactSheetRow } from './contact-sheet.ts';
export { datasetSheet, inspect, writeDatasetSheet } from './inspect.ts';
export type { ClassCount, DatasetSheetOptions, Inspection, Spread } from './inspect.ts';
export { reconstructionSheet } from './reconstruction-sheet.ts';
export { writeRunReport } from './run-report.ts';
export type { RunReportOptions } from './run-report.ts';
export { sampleImages } from './sample-images.ts';
export { verify } from './verify.ts';
export type { VerifyDatasetOptions, VerifyReport } from './verify.ts';
