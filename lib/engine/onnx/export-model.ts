/** Writes a traced function to a `.onnx` file that other tools read. */

import { open, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { checkInteger, temporaryPath, toWriteError } from '../../core/index.ts';
import type { NamedData } from '../engines/engine.ts';
import type { Graph, NamedValue } from '../graph/graph.ts';
import { optimise } from '../passes/optimise.ts';
import { lowerGraph } from './lower-graph.ts';
import { bytesOf, encodeModel } from './encode-model.ts';
import type { ExternalPlace } from './encode-model.ts';
import type { OnnxModel } from './model.ts';
import { countBytes } from './protobuf.ts';

/** A protocol buffer may not be larger than 2 GiB; this leaves room for the nodes. */
const MAX_INLINE_BYTES = 1_900_000_000;
/** External elements begin at multiples of this, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

/** How to export. */
export interface ExportOptions {
  /** Constants of more bytes in total stand in `FILE.data` beside the file; the form allows less than 2 GiB. */
  readonly maxInlineBytes?: number;
}

/** What was written. */
export interface ExportReport {
  readonly file: string;
  /** The file of the constants, if they did not fit. */
  readonly dataFile: string | null;
  readonly bytes: number;
}

/**
 * Exports a graph with ONNX' own operators only. States become constants, and their next values are left out.
 *
 * @throws {TubeletError} TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 */
export async function exportModel(
  graph: Graph,
  state: NamedData,
  file: string,
  { maxInlineBytes = MAX_INLINE_BYTES }: ExportOptions = {},
): Promise<ExportReport> {
  checkInteger('maxInlineBytes', maxInlineBytes, { min: 0, max: MAX_INLINE_BYTES });
  const forward = optimise(bindState(graph, state));
  const model = lowerGraph(forward, { hasContrib: false });
  const total = model.initializers.reduce((sum, { data }) => sum + data.byteLength, 0);
  const dataFile = total > maxInlineBytes ? `${file}.data` : null;
  const external = dataFile === null ? undefined : placeExternally(model, basename(dataFile));
  const pieces = encodeModel(model, external === undefined ? {} : { external });
  if (dataFile !== null) await writePieces(dataFile, externalPieces(model, external));
  await writePieces(file, pieces);
  return { file, dataFile, bytes: countBytes(pieces) + (dataFile === null ? 0 : total) };
}

/** The graph with states as constants, and without their next values. */
function bindState(graph: Graph, state: NamedData): Graph {
  const constants = new Map(graph.constants);
  for (const { name, value } of graph.inputs) {
    const data = state[name];
    if (data !== undefined) constants.set(value, data);
  }
  const isFree = ({ name }: NamedValue): boolean => !Object.hasOwn(state, name);
  const [inputs, outputs] = [graph.inputs.filter(isFree), graph.outputs.filter(isFree)];
  return { ...graph, inputs, outputs, constants };
}

/** Places for all constants but small ones, which stay readable in the model itself. */
function placeExternally(model: OnnxModel, location: string): Map<string, ExternalPlace> {
  const places = new Map<string, ExternalPlace>();
  let offset = 0;
  for (const { name, data } of model.initializers) {
    if (data.byteLength < ALIGNMENT) continue;
    places.set(name, { location, offset, length: data.byteLength });
    offset += Math.ceil(data.byteLength / ALIGNMENT) * ALIGNMENT;
  }
  return places;
}

function* externalPieces(
  model: OnnxModel,
  places: ReadonlyMap<string, ExternalPlace> | undefined,
): Generator<Uint8Array> {
  let offset = 0;
  for (const { name, data } of model.initializers) {
    const place = places?.get(name);
    if (place === undefined) continue;
    if (place.offset > offset) yield new Uint8Array(place.offset - offset);
    yield bytesOf(data);
    offset = place.offset + place.length;
  }
}

/** Writes to a temporary name and renames, so that the file is whole or not there. */
async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw toWriteError(error, path);
  }
}
