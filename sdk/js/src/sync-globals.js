// Puts SyncPromise in the place of Promise, before anything else of a build for WASI 0.2 is evaluated.

import { SyncPromise } from "./sync-promise.js";

globalThis.Promise = SyncPromise;

export const settled = SyncPromise.settled;
