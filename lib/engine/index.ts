/** Door of `engine`: runs tfjs functions at native speed. */

export { ENGINE_NAMES, compile } from './compile.ts';
export type { CompileOptions, EngineName, ProgramSpec } from './compile.ts';
export type { SpecLike } from './specs.ts';
export { diagnoseEngines } from './doctor/diagnose.ts';
export type { DiagnoseOptions, Diagnosis, EngineReport } from './doctor/diagnose.ts';
export { EXECUTION_PROVIDERS } from './engines/onnx-engine.ts';
export type { ExecutionProvider } from './engines/onnx-engine.ts';
export { drawGraph } from './graph/draw-graph.ts';
export { printGraph } from './graph/print-graph.ts';
export type { ExportOptions, ExportReport } from './onnx/export-model.ts';
export { Program } from './program.ts';
export type {
  Dtype as TensorDtype,
  Graph,
  GraphNode,
  TensorData,
  TensorForm,
} from './graph/graph.ts';
export type { TensorFunction } from './trace/trace.ts';
