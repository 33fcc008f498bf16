/** Entry of a worker process: turns one video after the other into samples. */

import { TubeletError } from '../core/index.ts';
import { listenToMessages, serveTasks, takeMessages } from '../decode/index.ts';
import { readFramesLayout } from './read-frames.ts';
import { readTubeletsLayout } from './read-tubelets.ts';
import { SampleBuilder } from './sample-builder.ts';
import { SpoolWriter } from './spool-writer.ts';
import type { VideoWarning } from '../decode/index.ts';
import type { VideoResult, VideoTask } from './video-task.ts';

listenToMessages();
serveTasks((task, onProgress) => convertVideo(task as VideoTask, onProgress));

async function convertVideo(
  task: VideoTask,
  onProgress: (done: number) => void,
): Promise<VideoResult> {
  await takeMessages();
  using spool = new SpoolWriter(task.spool);
  const builder = new SampleBuilder(task, spool);
  const { content } = task;
  try {
    const result =
      content.layout === 'frames'
        ? await readFramesLayout(task, content, { builder, onProgress })
        : await readTubeletsLayout(task, content, { builder, onProgress });
    return { ...result, warnings: [...result.warnings, ...(await messageWarnings())] };
  } catch (error) {
    if (!(error instanceof TubeletError)) throw error;
    const decoder = (await messageWarnings())[0]?.message ?? null;
    throw new TubeletError(error.code, { ...error.details, decoder }, { cause: error });
  }
}

/** What FFmpeg logged about this video, as a warning. */
async function messageWarnings(): Promise<VideoWarning[]> {
  const messages = await takeMessages();
  return messages.length === 0 ? [] : [{ code: 'decoder-message', message: messages.join('; ') }];
}
