/**
 * ONNX for work that is done piece by piece: a `Scan` whose body sees one piece at a time. What a piece makes on its way stays in the
 * processor's cache, and its memory is used again for the next one. Elsewhere than on the cpu there is one piece.
 */

import type { OnnxBuilder } from './model.ts';
import { int } from './model.ts';

/** Most numbers of a piece: a megabyte. */
const MOST_NUMBERS = 262_144;
/** Pieces smaller than this part of the most cost more than they save. */
const SMALLEST_PART = 1 / 8;

/** Writes what happens to a piece, given the names of its inputs, and names the results. */
export type PieceBody = (onnx: OnnxBuilder, inputs: readonly string[]) => string[];

/** Shapes of one piece. */
export interface PieceShapes {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** Rows of numbers. */
export interface Rows {
  readonly numRows: number;
  readonly width: number;
}

/** Into how many equal pieces to cut rows; 1 if they are few, do not divide well, or do not live on the cpu. */
export function countPieces(
  { hasContrib: isCpu }: Pick<OnnxBuilder, 'hasContrib'>,
  { numRows, width }: Rows,
  mostNumbers: number = MOST_NUMBERS,
): number {
  if (!isCpu) return 1;
  const size = numRows * width;
  const most = size / (mostNumbers * SMALLEST_PART);
  for (let count = Math.max(1, Math.ceil(size / mostNumbers)); count <= most; count += 1) {
    if (numRows % count === 0) return count;
  }
  return 1;
}

/** Runs a body for every piece; the first axis of all inputs and outputs counts pieces. */
export function scanPieces(
  onnx: OnnxBuilder,
  inputs: readonly string[],
  { inputs: forms, outputs: shapes }: PieceShapes,
  body: PieceBody,
): string[] {
  const type = 'float32';
  const graph = onnx.subgraph(
    forms.map((shape) => ({ type, shape })),
    (inner, names) =>
      body(inner, names).map((name, index) => ({ name, type, shape: shapes[index] ?? [] })),
  );
  return onnx.ops('Scan', inputs, {
    outputs: shapes.length,
    attributes: { body: graph, num_scan_inputs: int(inputs.length) },
  });
}
