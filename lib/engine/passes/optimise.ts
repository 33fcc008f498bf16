/** All passes over a graph, in order. */

import type { Graph } from '../graph/graph.ts';
import { shareSubexpressions } from './common-subexpressions.ts';
import { absorbBiases } from './biases.ts';
import { foldConstants } from './constant-folding.ts';
import { dropDeadNodes } from './dead-code.ts';
import { dropIdentities } from './identities.ts';
import { joinPaddings } from './paddings.ts';
import { absorbTransposes } from './transposes.ts';

/** Makes a graph smaller and faster; what it computes stays the same. */
export function optimise(graph: Graph): Graph {
  const passes = [
    dropDeadNodes,
    dropIdentities,
    foldConstants,
    shareSubexpressions,
    absorbTransposes,
    dropDeadNodes,
    absorbBiases,
    joinPaddings,
    dropDeadNodes,
  ];
  return passes.reduce((current, pass) => pass(current), graph);
}
