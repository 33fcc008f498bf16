/**
 * Batches in shared memory, filled by worker threads and read by the trainer, in the order of their numbers. Places in the ring are
 * used again and again, so memory is bounded and no page is fresh after the first round.
 *
 * A batch is made of units, one per clip (with all its repeats). Workers take units by number; a batch is whole when none of its
 * units is left. Nothing here needs the other side to be awake: a trainer that blocks its thread finds whole batches when it comes back.
 */

import { countValues } from './clip/batch-tensors.ts';
import type { TensorSpec } from './clip/batch-tensors.ts';
import type { Slot } from './clip/fill-slot.ts';

/** Sizes that both sides agree on; plain data. */
export interface RingLayout {
  /** Places for batches. */
  readonly numPlaces: number;
  /** Clips of a full batch, before they are repeated. */
  readonly numUnits: number;
  readonly repeats: number;
  readonly tensors: readonly TensorSpec[];
  /** Room for what is said about one unit. */
  readonly noteBytes: number;
}

/** The memory itself; crosses to workers as it is. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  /** One buffer per place. */
  readonly places: readonly SharedArrayBuffer[];
}

const ALIGNMENT = 64;
const CACHE_LINE_WORDS = 8;
const NEXT_UNIT = 0;
const NUM_RELEASED = CACHE_LINE_WORDS;
const IS_STOPPED = 2 * CACHE_LINE_WORDS;
const HEADER_WORDS = 3 * CACHE_LINE_WORDS;

/** Bytes of one batch with its notes. */
export function placeBytes({ tensors, numUnits, repeats, noteBytes }: RingLayout): number {
  return offsetsOf(tensors, numUnits * repeats).end + numUnits * noteBytes;
}

/** Takes the memory of a ring. Pages are used when first written. */
export function createRing(layout: RingLayout): RingMemory {
  const bytes = placeBytes(layout);
  return {
    control: new SharedArrayBuffer((HEADER_WORDS + 2 * layout.numPlaces) * 8),
    places: Array.from({ length: layout.numPlaces }, () => new SharedArrayBuffer(bytes)),
  };
}

/** One side's view of a ring. Batches and units are numbered from 0, over all epochs of the run. */
export class Ring {
  readonly layout: RingLayout;
  readonly #memory: RingMemory;
  /** Next unit, released batches, stop; then for each place the number of units left and 1 + the number of its whole batch. */
  readonly #words: BigInt64Array;
  readonly #offsets: { readonly starts: readonly number[]; readonly end: number };

  constructor(layout: RingLayout, memory: RingMemory) {
    this.layout = layout;
    this.#memory = memory;
    this.#words = new BigInt64Array(memory.control);
    this.#offsets = offsetsOf(layout.tensors, layout.numUnits * layout.repeats);
  }

  /** Takes the next unit. Units are numbered batch by batch, as if every batch were full. */
  takeUnit(): { readonly batch: number; readonly unit: number } {
    const taken = Number(Atomics.add(this.#words, NEXT_UNIT, 1n));
    const { numUnits } = this.layout;
    return { batch: Math.floor(taken / numUnits), unit: taken % numUnits };
  }

  /** Whether there is a place for a batch. */
  hasPlace(batch: number): boolean {
    return batch < this.numReleased() + this.layout.numPlaces;
  }

  numReleased(): number {
    return Number(Atomics.load(this.#words, NUM_RELEASED));
  }

  /** Prepares the place of a batch for so many units. Before the place is given free. */
  expect(batch: number, numUnits: number): void {
    Atomics.store(this.#words, this.#wordOf(batch), BigInt(numUnits));
  }

  /** Gives the place of the oldest batch free for the batch that comes `numPlaces` later. */
  release(): void {
    Atomics.add(this.#words, NUM_RELEASED, 1n);
  }

  /** Ends a unit; true for the last one of its batch. */
  finishUnit(batch: number): boolean {
    return Atomics.sub(this.#words, this.#wordOf(batch), 1n) === 1n;
  }

  markWhole(batch: number): void {
    Atomics.store(this.#words, this.#wordOf(batch) + 1, BigInt(batch + 1));
  }

  isWhole(batch: number): boolean {
    return Atomics.load(this.#words, this.#wordOf(batch) + 1) === BigInt(batch + 1);
  }

  stop(): void {
    Atomics.store(this.#words, IS_STOPPED, 1n);
  }

  isStopped(): boolean {
    return Atomics.load(this.#words, IS_STOPPED) === 1n;
  }

  /** The slots of one unit, one per repeat. */
  slots(batch: number, unit: number): Slot[] {
    const { repeats } = this.layout;
    return Array.from({ length: repeats }, (_, repeat) =>
      this.#views(batch, unit * repeats + repeat, 1),
    );
  }

  /** The tensors of a batch with so many clips, one after the other. */
  tensors(batch: number, numClips: number): Slot {
    return this.#views(batch, 0, numClips);
  }

  /** Writes what is to be known about a unit, as JSON. */
  writeNote(batch: number, unit: number, note: unknown): void {
    const bytes = Buffer.from(JSON.stringify(note));
    const room = this.#note(batch, unit);
    if (bytes.length > room.length - 4) {
      throw new RangeError(
        `"noteBytes" must be at least ${bytes.length + 4} (got ${room.length}).`,
      );
    }
    room.writeUInt32LE(bytes.length);
    room.set(bytes, 4);
  }

  readNote(batch: number, unit: number): unknown {
    const room = this.#note(batch, unit);
    return JSON.parse(room.toString('utf8', 4, 4 + room.readUInt32LE()));
  }

  #views(batch: number, firstClip: number, numClips: number): Slot {
    const { tensors } = this.layout;
    const buffer = this.#buffer(batch);
    return Object.fromEntries(
      tensors.map(({ name, dtype, shape, clipBytes }, i) => {
        const start = (this.#offsets.starts[i] ?? 0) + firstClip * clipBytes;
        return [name, viewOf(dtype, { buffer, start, length: countValues(shape) * numClips })];
      }),
    );
  }

  #note(batch: number, unit: number): Buffer {
    const { noteBytes } = this.layout;
    const start = this.#offsets.end + unit * noteBytes;
    return Buffer.from(this.#buffer(batch), start, noteBytes);
  }

  #buffer(batch: number): SharedArrayBuffer {
    const { numPlaces } = this.layout;
    return this.#memory.places[batch % numPlaces] ?? this.#memory.control;
  }

  #wordOf(batch: number): number {
    return HEADER_WORDS + 2 * (batch % this.layout.numPlaces);
  }
}

function offsetsOf(
  tensors: readonly TensorSpec[],
  numClips: number,
): { readonly starts: readonly number[]; readonly end: number } {
  let end = 0;
  const starts = tensors.map(({ clipBytes }) => {
    const start = end;
    end = Math.ceil((start + clipBytes * numClips) / ALIGNMENT) * ALIGNMENT;
    return start;
  });
  return { starts, end };
}

function viewOf(
  dtype: TensorSpec['dtype'],
  { buffer, start, length }: { buffer: SharedArrayBuffer; start: number; length: number },
): Uint8Array | Int32Array | Float32Array {
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(buffer, start, length);
    case 'int32':
      return new Int32Array(buffer, start, length);
    case 'float32':
      return new Float32Array(buffer, start, length);
    default:
      return dtype satisfies never;
  }
}
