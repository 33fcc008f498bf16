/** A worker process that never gets ready, for the tests of the pool. */

setInterval(() => undefined, 60_000);
