/** The pixel loops of this room, and the memory they work in. */

import { WasmMachine } from '../core/index.ts';
import { colourRow, colourRowWide } from './colour-kernels.ts';
import { convert, stretchRow } from './convert-kernels.ts';
import { findMarker } from './marker-kernel.ts';
import { scaleColumns, scaleRows } from './scale-kernels.ts';

interface PixelLoops {
  readonly findMarker: typeof findMarker;
  readonly stretchRow: typeof stretchRow;
  readonly colourRow: typeof colourRow;
  readonly colourRowWide: typeof colourRowWide;
  readonly convert: typeof convert;
  readonly scaleRows: typeof scaleRows;
  readonly scaleColumns: typeof scaleColumns;
}

const LOOPS: PixelLoops = {
  findMarker,
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
