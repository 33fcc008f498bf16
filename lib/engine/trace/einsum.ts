/** Sums of products in Einstein's notation, of one or two tensors, as one matrix product. */

import { tf } from '../../ops/index.ts';

/** A tensor whose axes have letters. */
interface Lettered {
  readonly tensor: tf.Tensor;
  readonly letters: readonly string[];
}

/** Gives the result, or undefined for more than two tensors or a letter twice on one of them. */
export function traceEinsum(
  equation: string,
  tensors: readonly tf.Tensor[],
): tf.Tensor | undefined {
  const [left = '', right = ''] = equation.replaceAll(/\s/gu, '').split('->');
  const wanted = right.split('');
  const operands = left.split(',').map((letters) => letters.split(''));
  if (operands.some((letters) => new Set(letters).size !== letters.length)) return undefined;
  const [first, second] = operands.map((letters, index) => {
    const others = operands.filter((_, other) => other !== index).flat();
    return sumUnused({ tensor: tensors[index] ?? tf.scalar(0), letters }, [...others, ...wanted]);
  });
  if (first === undefined || operands.length > 2) return undefined;
  return inOrder(second === undefined ? first : multiply(first, second, wanted), wanted);
}

/** Sums over letters that stand nowhere else. */
function sumUnused({ tensor, letters }: Lettered, used: readonly string[]): Lettered {
  const axes = letters.flatMap((letter, axis) => (used.includes(letter) ? [] : [axis]));
  if (axes.length === 0) return { tensor, letters };
  return { tensor: tf.sum(tensor, axes), letters: letters.filter((one) => used.includes(one)) };
}

function multiply(a: Lettered, b: Lettered, wanted: readonly string[]): Lettered {
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = shared.filter((letter) => wanted.includes(letter));
  const summed = shared.filter((letter) => !wanted.includes(letter));
  const rows = a.letters.filter((letter) => !shared.includes(letter));
  const columns = b.letters.filter((letter) => !shared.includes(letter));
  const sizes = sizesOf(a, b);
  const count = (letters: readonly string[]): number =>
    letters.reduce((product, letter) => product * (sizes.get(letter) ?? 1), 1);
  const left = inOrder(a, [...batch, ...rows, ...summed]);
  const right = inOrder(b, [...batch, ...summed, ...columns]);
  const product = tf.matMul(
    tf.reshape(left, [count(batch), count(rows), count(summed)]),
    tf.reshape(right, [count(batch), count(summed), count(columns)]),
  );
  const letters = [...batch, ...rows, ...columns];
  const shape = letters.map((letter) => sizes.get(letter) ?? 1);
  return { tensor: tf.reshape(product, shape), letters };
}

function sizesOf(...operands: readonly Lettered[]): Map<string, number> {
  return new Map(
    operands.flatMap(({ tensor, letters }) =>
      letters.map((letter, axis): [string, number] => [letter, tensor.shape[axis] ?? 1]),
    ),
  );
}

function inOrder({ tensor, letters }: Lettered, order: readonly string[]): tf.Tensor {
  if (letters.length < 2) return tensor;
  return tf.transpose(
    tensor,
    order.map((letter) => letters.indexOf(letter)),
  );
}
