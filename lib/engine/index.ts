/** Door of `engine`: runs tfjs functions at native speed. */

export { ENGINE_NAMES, compile } from './compile.ts';
export type { CompileOptions, EngineName, ProgramSpec, SpecLike } from './compile.ts';
export { EXECUTION_PROVIDERS } from './engines/onnx-engine.ts';
export type { ExecutionProvider } from './engines/onnx-engine.ts';
export { Program } from './program.ts';
