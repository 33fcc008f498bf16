/**
 * A reader of Python pickles that can build nothing but tensors and plain containers. Names of functions and classes are
 * looked up in known-globals.ts; nothing is imported or called. It never recurses, and its work and memory are bounded.
 *
 * Source: CPython's pickletools (the meaning of the operations). Differs: operations of protocol 0 and extension codes are
 * refused; PyTorch has never written them.
 */

import { WeightsFault } from '../weights-fault.ts';
import { admitGlobal, makeStorage, standInFor } from './known-globals.ts';
import { isDict, isSequence, makeDict, typeOf } from './pickle-value.ts';
import type { PickleValue, TorchStorage } from './pickle-value.ts';

/** Operations and copied values; a checkpoint of ViT-H with its optimizer needs some hundred thousand. */
const MAX_WORK = 2 ** 22;
const MAX_LONG_BYTES = 64;

/** A value, and where the pickle ended. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads the pickle that begins at an offset.
 *
 * @param onStorage is told of every storage that a tensor may use
 * @throws {WeightsFault} TUBE_WEIGHTS_UNSAFE naming a function that would run, TUBE_WEIGHTS_UNSUPPORTED,
 * TUBE_WEIGHTS_DAMAGED
 */
export function unpickle(
  bytes: Buffer,
  start = 0,
  onStorage: (storage: TorchStorage) => void = ignore,
): Unpickled {
  const machine = new Machine(bytes, start, onStorage);
  for (;;) {
    machine.charge(1);
    const code = machine.readByte();
    if (code === STOP) return { value: machine.pop(), end: machine.position };
    const operation = OPERATIONS.get(code);
    if (operation === undefined) {
      throw new WeightsFault(
        `operation 0x${code.toString(16)} is unknown`,
        'TUBE_WEIGHTS_UNSUPPORTED',
      );
    }
    operation(machine);
  }
}

/** The stack, the memo and the place in the bytes. */
class Machine {
  position: number;
  readonly #bytes: Buffer;
  #stack: PickleValue[] = [];
  #work = 0;
  readonly #marked: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #onStorage: (storage: TorchStorage) => void;

  constructor(bytes: Buffer, position: number, onStorage: (storage: TorchStorage) => void) {
    this.#bytes = bytes;
    this.position = position;
    this.#onStorage = onStorage;
  }

  /** Counts work; what copies values of others is counted by them, so that no work is more than the file. */
  charge(work: number): void {
    this.#work += work;
    if (this.#work > MAX_WORK) throw new WeightsFault('pickle is beyond reason');
  }

  readByte(): number {
    return this.take(1).readUInt8();
  }

  take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.#bytes.length) throw new WeightsFault('pickle is cut short');
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  takeLong(length: bigint): Buffer {
    if (length > BigInt(this.#bytes.length)) throw new WeightsFault('pickle is cut short');
    return this.take(Number(length));
  }

  takeLine(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end === -1) throw new WeightsFault('pickle is cut short');
    const line = this.#bytes.toString('utf8', this.position, end);
    this.position = end + 1;
    return line;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw new WeightsFault('pickle takes from an empty stack');
    return value;
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw new WeightsFault('pickle looks at an empty stack');
    return value;
  }

  /** Begins a group: the values that come are taken together by {@link popGroup}. */
  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  popGroup(): PickleValue[] {
    const outer = this.#marked.pop();
    if (outer === undefined) throw new WeightsFault('pickle has no mark');
    const group = this.#stack;
    this.#stack = outer;
    return group;
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  pushStorage(storage: TorchStorage): void {
    this.#onStorage(storage);
    this.push(storage);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new WeightsFault('pickle recalls what it never had');
    this.push(value);
  }
}

const STOP = 0x2e;

type Operation = (machine: Machine) => void;

function ignore(): void {}

/** By the byte of the operation; in the comments the names of pickletools. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, (m) => void m.take(1)], // PROTO
  [0x95, (m) => void m.take(8)], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popGroup()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.take(4).readInt32LE())], // BININT
  [0x4b, (m) => m.push(m.readByte())], // BININT1
  [0x4d, (m) => m.push(m.take(2).readUInt16LE())], // BININT2
  [0x8a, (m) => m.push(readLong(m, m.readByte()))], // LONG1
  [0x8b, (m) => m.push(readLong(m, m.take(4).readUInt32LE()))], // LONG4
  [0x47, (m) => m.push(m.take(8).readDoubleBE())], // BINFLOAT
  [0x55, (m) => m.push(m.take(m.readByte()).toString('latin1'))], // SHORT_BINSTRING
  [0x54, (m) => m.push(m.take(m.take(4).readUInt32LE()).toString('latin1'))], // BINSTRING
  [0x8c, (m) => m.push(m.take(m.readByte()).toString('utf8'))], // SHORT_BINUNICODE
  [0x58, (m) => m.push(m.take(m.take(4).readUInt32LE()).toString('utf8'))], // BINUNICODE
  [0x8d, (m) => m.push(m.takeLong(m.take(8).readBigUInt64LE()).toString('utf8'))], // BINUNICODE8
  [0x43, (m) => m.push(m.take(m.readByte()))], // SHORT_BINBYTES
  [0x42, (m) => m.push(m.take(m.take(4).readUInt32LE()))], // BINBYTES
  [0x8e, (m) => m.push(m.takeLong(m.take(8).readBigUInt64LE()))], // BINBYTES8
  [0x96, (m) => m.push(m.takeLong(m.take(8).readBigUInt64LE()))], // BYTEARRAY8
  [0x5d, (m) => m.push({ type: 'list', items: [] })], // EMPTY_LIST
  [0x8f, (m) => m.push({ type: 'list', items: [] })], // EMPTY_SET
  [0x29, (m) => m.push({ type: 'tuple', items: [] })], // EMPTY_TUPLE
  [0x7d, (m) => m.push(makeDict())], // EMPTY_DICT
  [0x6c, (m) => m.push({ type: 'list', items: m.popGroup() })], // LIST
  [0x91, (m) => m.push({ type: 'list', items: m.popGroup() })], // FROZENSET
  [0x74, (m) => m.push({ type: 'tuple', items: m.popGroup() })], // TUPLE
  [0x85, (m) => m.push({ type: 'tuple', items: popSome(m, 1) })], // TUPLE1
  [0x86, (m) => m.push({ type: 'tuple', items: popSome(m, 2) })], // TUPLE2
  [0x87, (m) => m.push({ type: 'tuple', items: popSome(m, 3) })], // TUPLE3
  [0x64, (m) => pushDict(m, m.popGroup())], // DICT
  [0x61, (m) => append(m, [m.pop()])], // APPEND
  [0x65, (m) => append(m, m.popGroup())], // APPENDS
  [0x90, (m) => append(m, m.popGroup())], // ADDITEMS
  [0x73, (m) => setItems(m, popSome(m, 2))], // SETITEM
  [0x75, (m) => setItems(m, m.popGroup())], // SETITEMS
  [0x71, (m) => m.remember(m.readByte())], // BINPUT
  [0x72, (m) => m.remember(m.take(4).readUInt32LE())], // LONG_BINPUT
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m) => m.recall(m.readByte())], // BINGET
  [0x6a, (m) => m.recall(m.take(4).readUInt32LE())], // LONG_BINGET
  [0x63, (m) => m.push(admitGlobal(m.takeLine(), m.takeLine()))], // GLOBAL
  [0x93, pushStackGlobal], // STACK_GLOBAL
  [0x52, (m) => call(m, m.pop())], // REDUCE
  [0x81, (m) => call(m, m.pop())], // NEWOBJ
  [0x69, callInstance], // INST
  [0x92, callWithNames], // NEWOBJ_EX
  [0x62, setState], // BUILD
  [0x51, (m) => m.pushStorage(makeStorage(m.pop()))], // BINPERSID
]);

/** Little-endian two's complement. */
function readLong(machine: Machine, length: number): number | bigint {
  if (length > MAX_LONG_BYTES) throw new WeightsFault(`an integer of ${length} bytes`);
  const hex = Buffer.from(machine.take(length)).reverse().toString('hex');
  const value = BigInt.asIntN(8 * length, BigInt(`0x0${hex}`));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function popSome(machine: Machine, count: number): PickleValue[] {
  return Array.from({ length: count }, () => machine.pop()).reverse();
}

function pushDict(machine: Machine, items: readonly PickleValue[]): void {
  machine.push(makeDict());
  setItems(machine, items);
}

function append(machine: Machine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (typeOf(target) === 'inert') return;
  if (!isSequence(target) || target.type !== 'list') throw new WeightsFault('no list to append to');
  for (const item of items) target.items.push(item);
}

function setItems(machine: Machine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (items.length % 2 !== 0) throw new WeightsFault('a key without a value');
  if (typeOf(target) === 'inert') return;
  if (!isDict(target)) throw new WeightsFault('no dictionary to set items of');
  for (let i = 0; i < items.length; i += 2) {
    target.entries.set(items[i] ?? null, items[i + 1] ?? null);
  }
}

function pushStackGlobal(machine: Machine): void {
  const [module, member] = popSome(machine, 2);
  if (typeof module !== 'string' || typeof member !== 'string') {
    throw new WeightsFault('a name is no text');
  }
  machine.push(admitGlobal(module, member));
}

function call(machine: Machine, args: PickleValue): void {
  if (!isSequence(args)) throw new WeightsFault('arguments are no tuple');
  for (const arg of args.items) {
    machine.charge(
      1 + (isSequence(arg) ? arg.items.length : 0) + (isDict(arg) ? arg.entries.size : 0),
    );
  }
  machine.push(standInFor(machine.pop(), args.items));
}

function callInstance(machine: Machine): void {
  const callee = admitGlobal(machine.takeLine(), machine.takeLine());
  const items = machine.popGroup();
  machine.push(callee);
  call(machine, { type: 'tuple', items });
}

function callWithNames(machine: Machine): void {
  machine.pop(); // the named arguments
  call(machine, machine.pop());
}

/** Attributes of tensors, dictionaries and records are left out. */
function setState(machine: Machine): void {
  machine.pop();
  const type = typeOf(machine.top());
  if (type !== 'inert' && type !== 'dict' && type !== 'tensor') {
    throw new WeightsFault('state is set of something that has none');
  }
}
