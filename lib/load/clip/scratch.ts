/** Memory of one thread that is used again for every clip, so that no clip pays for fresh pages. */

/** Buffers by name; each grows to the largest length that was asked for. */
export class Scratch {
  readonly #buffers = new Map<string, ArrayBuffer>();

  /** Bytes with undefined content, valid until the same name is asked for again. */
  bytes(name: string, length: number): Uint8Array {
    return new Uint8Array(this.#buffer(name, length), 0, length);
  }

  /** Numbers with undefined content, valid until the same name is asked for again. */
  floats(name: string, length: number): Float32Array {
    return new Float32Array(this.#buffer(name, length * 4), 0, length);
  }

  #buffer(name: string, bytes: number): ArrayBuffer {
    const held = this.#buffers.get(name);
    if (held !== undefined && held.byteLength >= bytes) return held;
    const fresh = new ArrayBuffer(bytes);
    this.#buffers.set(name, fresh);
    return fresh;
  }
}
