/** The public face of tubelet: every exported name, listed one by one. */

export { ERROR_CODES, TubeletError, describeError } from './core/index.ts';
export type { ErrorCode, ErrorDetails } from './core/index.ts';
