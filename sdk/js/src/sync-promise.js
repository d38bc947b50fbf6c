// A Promise for hosts of WASI 0.2, where a function of a component has to return before anything else can run: what
// waits for a settled promise runs at once, on the caller's stack. The build puts it in the place of Promise, and turns
// `async` functions into generators that use it.

const PENDING = Symbol("pending");

export class SyncPromise {
  #state = PENDING;
  #value;
  #waiting = [];

  constructor(executor) {
    try {
      executor(
        (value) => this.#resolve(value),
        (error) => this.#settle("rejected", error),
      );
    } catch (error) {
      this.#settle("rejected", error);
    }
  }

  static resolve(value) {
    return value instanceof SyncPromise ? value : new SyncPromise((resolve) => resolve(value));
  }

  static reject(error) {
    return new SyncPromise((_, reject) => reject(error));
  }

  static all(values) {
    return new SyncPromise((resolve, reject) => {
      const promises = [...values].map((value) => SyncPromise.resolve(value));
      const results = [];
      let left = promises.length;
      if (left === 0) resolve(results);
      promises.forEach((promise, index) =>
        promise.then((value) => {
          results[index] = value;
          left -= 1;
          if (left === 0) resolve(results);
        }, reject),
      );
    });
  }

  static allSettled(values) {
    return SyncPromise.all(
      [...values].map((each) =>
        SyncPromise.resolve(each).then(
          (value) => ({ status: "fulfilled", value }),
          (reason) => ({ status: "rejected", reason }),
        ),
      ),
    );
  }

  static race(values) {
    return new SyncPromise((resolve, reject) => {
      for (const each of values) SyncPromise.resolve(each).then(resolve, reject);
    });
  }

  // The value of a settled promise, or its error, thrown.
  static settled(promise) {
    if (promise.#state === "fulfilled") return promise.#value;
    if (promise.#state === "rejected") throw promise.#value;
    throw { tag: "internal", val: "a tool awaits what is never ready: on WASI 0.2 nothing wakes it" };
  }

  then(onFulfilled, onRejected) {
    return new SyncPromise((resolve, reject) => {
      const run = () => {
        const isFulfilled = this.#state === "fulfilled";
        const handler = isFulfilled ? onFulfilled : onRejected;
        try {
          if (typeof handler === "function") resolve(handler(this.#value));
          else if (isFulfilled) resolve(this.#value);
          else reject(this.#value);
        } catch (error) {
          reject(error);
        }
      };
      if (this.#state === PENDING) this.#waiting.push(run);
      else run();
    });
  }

  catch(onRejected) {
    return this.then(undefined, onRejected);
  }

  finally(callback) {
    return this.then(
      (value) => SyncPromise.resolve(callback()).then(() => value),
      (error) =>
        SyncPromise.resolve(callback()).then(() => {
          throw error;
        }),
    );
  }

  #resolve(value) {
    if (this.#state !== PENDING) return;
    if (typeof value?.then !== "function") {
      this.#settle("fulfilled", value);
      return;
    }
    value.then(
      (inner) => this.#resolve(inner),
      (error) => this.#settle("rejected", error),
    );
  }

  #settle(state, value) {
    if (this.#state !== PENDING) return;
    this.#state = state;
    this.#value = value;
    for (const run of this.#waiting.splice(0)) run();
  }
}
