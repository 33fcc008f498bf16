/** The pixel loops of this room, and the memory they work in. */

import { WasmMachine } from '../core/index.ts';
import { colourRow, colourRowWide } from './colour-kernels.ts';
import { convert, stretchRow } from './convert-kernels.ts';
import { findMarker } from './marker-kernel.ts';
import { scaleColumns, scaleRows } from './scale-kernels.ts';
import { decodeRow, unstuff } from './scan-kernels.ts';
import { fillBlock, transform } from './transform-kernel.ts';

interface PixelLoops {
  readonly findMarker: typeof findMarker;
  readonly unstuff: typeof unstuff;
  readonly decodeRow: typeof decodeRow;
  readonly transform: typeof transform;
  readonly fillBlock: typeof fillBlock;
  readonly stretchRow: typeof stretchRow;
  readonly colourRow: typeof colourRow;
  readonly colourRowWide: typeof colourRowWide;
  readonly convert: typeof convert;
  readonly scaleRows: typeof scaleRows;
  readonly scaleColumns: typeof scaleColumns;
}

const LOOPS: PixelLoops = {
  findMarker,
  unstuff,
  decodeRow,
  transform,
  fillBlock,
  stretchRow,
  colourRow,
  colourRowWide,
  convert,
  scaleRows,
  scaleColumns,
};

/** A machine with all pixel loops. */
export type PixelMachine = WasmMachine<PixelLoops>;

/** Makes a machine. */
export function createPixelMachine(): PixelMachine {
  return new WasmMachine(LOOPS);
}
