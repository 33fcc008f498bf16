/**
 * Names of VideoMAE's weights: those of the official checkpoints and those of Hugging Face, both ways, for models that are
 * pre-trained and models that classify.
 *
 * Source: the parameter names of the official models (VideoMAE@14ef8d8) and of transformers' `videomae`. The official name
 * stands for one array everywhere; of the fused `attn.qkv.weight` [3 D, D] Hugging Face keeps the rows of queries, keys and
 * values apart. Neither side has a bias of keys.
 */

/** Who gave the names. */
export type NameStyle = 'official' | 'hf';

/** All styles of names. */
export const NAME_STYLES: readonly NameStyle[] = ['official', 'hf'];

/** What the weights belong to: encoder and decoder, or encoder and classifier. */
export type ModelKind = 'pretrain' | 'finetune';

/** All kinds of models. */
export const MODEL_KINDS: readonly ModelKind[] = ['pretrain', 'finetune'];

/** Which third of the rows of a fused matrix a weight is: queries, keys or values. */
export type FusedPart = 0 | 1 | 2;

/** The official name of a weight of Hugging Face; `part` is null unless it is a third of a fused matrix. */
export interface OfficialName {
  readonly name: string;
  readonly part: FusedPart | null;
}

type Pairs = readonly (readonly [official: string, hf: string])[];

const BLOCK_PAIRS: Pairs = [
  ...withBias('norm1', 'layernorm_before'),
  ['attn.q_bias', 'attention.attention.q_bias'],
  ['attn.v_bias', 'attention.attention.v_bias'],
  ...withBias('attn.proj', 'attention.output.dense'),
  ...withBias('norm2', 'layernorm_after'),
  ...withBias('mlp.fc1', 'intermediate.dense'),
  ...withBias('mlp.fc2', 'output.dense'),
];

const FUSED = 'attn.qkv.weight';
const FUSED_PARTS = ['query', 'key', 'value'].map((part) => `attention.attention.${part}.weight`);

const EMBEDDING = 'videomae.embeddings.patch_embeddings.projection';
const ENCODER_LAYER = 'videomae.encoder.layer.';

const OUTER_PAIRS: Readonly<Record<ModelKind, Pairs>> = {
  pretrain: [
    ['mask_token', 'mask_token'],
    ...withBias('encoder.patch_embed.proj', EMBEDDING),
    ...withBias('encoder.norm', 'videomae.layernorm'),
    ['encoder_to_decoder.weight', 'encoder_to_decoder.weight'],
    ...withBias('decoder.norm', 'decoder.norm'),
    ...withBias('decoder.head', 'decoder.head'),
  ],
  finetune: [
    ...withBias('patch_embed.proj', EMBEDDING),
    ...withBias('norm', 'videomae.layernorm'),
    ...withBias('fc_norm', 'fc_norm'),
    ...withBias('head', 'classifier'),
  ],
};

/** What stands before the number of a block. */
const BLOCK_PREFIXES: Readonly<Record<ModelKind, Pairs>> = {
  pretrain: [
    ['encoder.blocks.', ENCODER_LAYER],
    ['decoder.blocks.', 'decoder.decoder_layers.'],
  ],
  finetune: [['blocks.', ENCODER_LAYER]],
};

function withBias(official: string, hf: string): Pairs {
  return [
    [`${official}.weight`, `${hf}.weight`],
    [`${official}.bias`, `${hf}.bias`],
  ];
}

/**
 * Names of Hugging Face for an official weight: one, or three for a fused matrix (rows of queries, keys, values in this
 * order), or null if it has no counterpart there (such as `gamma_1`, which no published model uses).
 */
export function toHfNames(kind: ModelKind, official: string): readonly string[] | null {
  const outer = OUTER_PAIRS[kind].find(([name]) => name === official);
  if (outer !== undefined) return [outer[1]];
  for (const [prefix, hfPrefix] of BLOCK_PREFIXES[kind]) {
    const block = splitBlock(official, prefix);
    if (block === null) continue;
    const path = `${hfPrefix}${block.index}.`;
    if (block.rest === FUSED) return FUSED_PARTS.map((part) => path + part);
    const pair = BLOCK_PAIRS.find(([name]) => name === block.rest);
    return pair === undefined ? null : [path + pair[1]];
  }
  return null;
}

/** The official name of a weight of Hugging Face, or null if it has none. */
export function toOfficialName(kind: ModelKind, hf: string): OfficialName | null {
  const outer = OUTER_PAIRS[kind].find(([, name]) => name === hf);
  if (outer !== undefined) return { name: outer[0], part: null };
  for (const [prefix, hfPrefix] of BLOCK_PREFIXES[kind]) {
    const block = splitBlock(hf, hfPrefix);
    if (block === null) continue;
    const path = `${prefix}${block.index}.`;
    const part = FUSED_PARTS.indexOf(block.rest);
    if (part !== -1) return { name: path + FUSED, part: part as FusedPart };
    const pair = BLOCK_PAIRS.find(([, name]) => name === block.rest);
    return pair === undefined ? null : { name: path + pair[0], part: null };
  }
  return null;
}

function splitBlock(
  name: string,
  prefix: string,
): { readonly index: string; readonly rest: string } | null {
  if (!name.startsWith(prefix)) return null;
  const [, index, rest] = /^(\d+)\.(.+)$/s.exec(name.slice(prefix.length)) ?? [];
  return index === undefined || rest === undefined ? null : { index, rest };
}

/** What the names of a file say about it, or null if they are not those of a VideoMAE. */
export function detectNames(
  names: Iterable<string>,
): { readonly style: NameStyle; readonly kind: ModelKind } | null {
  const all = new Set(names);
  const has = (prefix: string): boolean => Array.from(all).some((name) => name.startsWith(prefix));
  if (has('videomae.')) {
    const isPretrain = has('decoder.') || all.has('mask_token') || has('encoder_to_decoder.');
    return { style: 'hf', kind: isPretrain ? 'pretrain' : 'finetune' };
  }
  if (has('encoder.blocks.') || has('encoder.patch_embed.')) {
    return { style: 'official', kind: 'pretrain' };
  }
  if (has('blocks.') || has('patch_embed.')) return { style: 'official', kind: 'finetune' };
  return null;
}
