/** A stand-in for an open video: packets with times, without a file. */

import type { OpenVideo } from '../../lib/decode/open-video.ts';

/** A packet; one byte of data unless said. */
export interface FakePacket {
  readonly pts: bigint;
  readonly dts: bigint;
  readonly flags?: number;
  readonly isKey?: boolean;
  readonly size?: number;
}

/** Hands out the packets one by one, always in the same object; only what scans and queues ask for is there. */
export function fakeVideo(packets: readonly FakePacket[]): OpenVideo {
  let next = 0;
  const packet = {};
  const video = {
    packet,
    readPacket(): boolean {
      const given = packets[next++];
      if (given === undefined) return false;
      Object.assign(packet, nativeLike(given));
      return true;
    },
  };
  return video as unknown as OpenVideo;
}

function nativeLike(given: FakePacket): object {
  const { isKey = false, ...rest } = given;
  return {
    flags: 0,
    size: 1,
    ...rest,
    isKeyframe: isKey,
    clone: () => nativeLike(given),
    unref: () => undefined,
    free: () => undefined,
  };
}
