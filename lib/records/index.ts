/** Door of `records`: what a run writes down about itself. */

export { recordClassification } from './classification.ts';
export type {
  ClassRecord,
  ClassificationOptions,
  ClassificationRecord,
  LabelledVideo,
  ScoredVideo,
} from './classification.ts';
export { EventLog } from './event-log.ts';
export type { EventLogOptions } from './event-log.ts';
export type { EventPlace } from './event-bytes.ts';
export type { MetricsRecord } from './metrics-line.ts';
export { METRICS_FILE, MetricsLog, TIMING_FILE, readMetrics } from './metrics-log.ts';
export type { MetricsLogOptions } from './metrics-log.ts';
export type {
  ReportChart,
  ReportData,
  ReportFact,
  ReportReconstruction,
  ReportSeries,
  ReportTable,
} from './report/report-data.ts';
export { reportHtml } from './report/report-html.ts';
