import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convertWeights, inspectWeights } from '../../lib/weights/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { runPython, testWithPython } from '../helpers/python.ts';
import { projectFile } from '../helpers/project.ts';

/** The model of golden case c1 in the words of Hugging Face. */
const CONFIG = {
  model_type: 'videomae',
  image_size: 32,
  patch_size: 16,
  num_frames: 8,
  tubelet_size: 2,
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 192,
  decoder_hidden_size: 32,
  decoder_num_hidden_layers: 1,
  decoder_num_attention_heads: 2,
  decoder_intermediate_size: 128,
  use_mean_pooling: false,
};

const PYTHON = `
import json, os, sys
os.environ['HF_HUB_OFFLINE'] = '1'
from transformers import VideoMAEForPreTraining
model, info = VideoMAEForPreTraining.from_pretrained(sys.argv[1], output_loading_info=True)
model.save_pretrained(sys.argv[2])
print(json.dumps([sorted(info['missing_keys']), sorted(info['unexpected_keys'])]))
`;
testWithPython(
  'Transformers loads what was converted, and saves the same weights',
  ['torch', 'transformers'],
  async (t) => {
    const [folder, saved] = [await temporaryFolder(t), await temporaryFolder(t)];
    const path = join(folder, 'model.safetensors');
    const official = projectFile('test', 'golden', 'c1_pretrain.weights.safetensors');
    const { sha256 } = await convertWeights(official, path, { names: 'hf' });
    await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
    const { stdout, stderr } = await runPython(['-c', PYTHON, folder, saved]);
    t.is(stdout.trim(), '[[], []]', stderr);
    t.is((await inspectWeights(join(saved, 'model.safetensors'))).sha256, sha256);
  },
);
