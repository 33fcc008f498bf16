/** Scales pictures in the memory of a {@link PixelMachine}. */

import type { ResizeTaps } from '../core/index.ts';
import { TAP_GROUP } from './picture-cut.ts';
import type { CutPlan } from './picture-cut.ts';
import type { PixelMachine } from './pixel-machine.ts';
import { LOW_BITS, ROWS_AT_A_TIME } from './scale-kernels.ts';

const LOW_MASK = 2 ** LOW_BITS - 1;
/** Bytes of a pixel that is to be scaled. */
export const WIDE_PIXEL_BYTES = 4;

interface Table {
  readonly starts: number;
  readonly weights: number;
}

/** Scaling of one kind; its tables stay in the machine's memory from when it is made. */
export class PictureScaler {
  readonly #machine: PixelMachine;
  readonly #plan: CutPlan;
  readonly #scaling: NonNullable<CutPlan['scaling']>;
  readonly #columns: Table;
  readonly #rows: Table;
  readonly #narrowStride: number;

  constructor(machine: PixelMachine, plan: CutPlan, scaling: NonNullable<CutPlan['scaling']>) {
    this.#machine = machine;
    this.#plan = plan;
    this.#scaling = scaling;
    this.#narrowStride = plan.target.width * WIDE_PIXEL_BYTES;
    this.#columns = writeTable(machine, scaling.columns, WIDE_PIXEL_BYTES);
    this.#rows = writeTable(machine, scaling.rows, this.#narrowStride);
  }

  /** Scales the source pixels at `source`, without gaps between rows, to RGB at `out`. Looks at some rows below. */
  scale(source: number, out: number): void {
    const { plan, machine } = { plan: this.#plan, machine: this.#machine };
    const numRows = Math.max(plan.source.height + ROWS_AT_A_TIME, this.#scaling.rows.count);
    const narrow = machine.reserve(numRows * this.#narrowStride);
    machine.run('scaleRows', {
      source,
      sourceStride: plan.source.width * WIDE_PIXEL_BYTES,
      height: plan.source.height,
      ...this.#columns,
      pairs: this.#scaling.columns.count / TAP_GROUP,
      width: plan.target.width,
      out: narrow,
    });
    machine.run('scaleColumns', {
      source: narrow,
      stride: this.#narrowStride,
      ...this.#rows,
      pairs: this.#scaling.rows.count / TAP_GROUP,
      ...plan.target,
      out,
    });
  }
}

/** Writes offsets and weights as the loops read them: per group first the high parts, then the low ones. */
function writeTable(machine: PixelMachine, { starts, weights }: ResizeTaps, step: number): Table {
  const table = {
    starts: machine.reserve(starts.length * 4),
    weights: machine.reserve(weights.length * 4),
  };
  const { buffer } = machine.bytes;
  new Int32Array(buffer, table.starts, starts.length).set(starts.map((start) => start * step));
  const parts = new Int16Array(buffer, table.weights, weights.length * 2);
  for (const [index, weight] of weights.entries()) {
    const place = index + Math.floor(index / TAP_GROUP) * TAP_GROUP;
    parts[place] = weight >> LOW_BITS;
    parts[place + TAP_GROUP] = weight & LOW_MASK;
  }
  return table;
}
