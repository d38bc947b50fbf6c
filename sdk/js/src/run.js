// A call of a function of the app: reports on the way, then an end.

import { jsonSchema, parse } from "./schema.js";

export const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

const LISTS = ["tools", "prompts", "resources"];

export class Run {
  #events = [];
  #changed;
  #delivered;
  #questions = 0;

  // `given`: caller, capabilities, wantsProgress, logLevel, credential, answers and state, as of the contract.
  constructor(given) {
    this.given = given;
    // The client answers the last question alone; what it answered before comes back in the state.
    this.answers = { ...(given.state ? JSON.parse(given.state) : {}), ...given.answers };
    // How the call ended: { value }, { error } or { question, state }.
    this.end = undefined;
    this.context = this.#context();
  }

  start(call) {
    const ended = (end) => {
      this.end ??= end;
      this.#changed?.();
    };
    (async () => call(this.context))().then(
      (value) => ended({ value }),
      (error) => ended({ error }),
    );
    return this;
  }

  get hasEvents() {
    return this.#events.length > 0;
  }

  // Runs until there is something to report or the call has ended.
  async step() {
    if (this.end || this.hasEvents) return;
    await new Promise((resolve) => {
      this.#changed = resolve;
      this.#delivered?.();
      if (this.end || this.hasEvents) resolve();
    });
  }

  // The next event, or nothing when the call has ended.
  async nextEvent() {
    await this.step();
    return this.#events.shift();
  }

  async finish() {
    while (await this.nextEvent());
    return this.end;
  }

  #report(event) {
    this.#events.push(event);
    // The function goes on when the client has the event.
    const delivered = new Promise((resolve) => (this.#delivered = resolve));
    this.#changed?.();
    return delivered;
  }

  #context() {
    const { caller, capabilities = {}, wantsProgress, logLevel, credential } = this.given;
    const request = (method, params, { name } = {}) => {
      this.#questions += 1;
      const id = name ?? `question-${this.#questions}`;
      if (Object.hasOwn(this.answers, id)) return Promise.resolve(this.answers[id]);
      const state = Object.keys(this.answers).length > 0 ? JSON.stringify(this.answers) : undefined;
      this.end ??= { question: { id, method, params }, state };
      this.#changed?.();
      // The call is over, and made again with the answer.
      return new Promise(() => {});
    };
    return {
      caller,
      capabilities,
      credential,
      canAsk: Boolean(capabilities.elicitsForms),
      request,
      progress: async (progress, total, message) => {
        if (wantsProgress) await this.#report({ tag: "progress", val: { progress, total, message } });
      },
      log: async (data, { level = "info", logger } = {}) => {
        const isWanted = logLevel && LEVELS.indexOf(level) >= LEVELS.indexOf(logLevel);
        if (isWanted) await this.#report({ tag: "log", val: { level, data: JSON.stringify(data), logger } });
      },
      changed: async (what) => {
        if (!LISTS.includes(what)) throw new TypeError(`${what} cannot change: ${LISTS.join(", ")} can`);
        await this.#report({ tag: "changed", val: { tag: what } });
      },
      resourceChanged: (uri) => this.#report({ tag: "changed", val: { tag: "resource", val: uri } }),
      ask: async (message, schema, { name } = {}) => {
        if (!capabilities.elicitsForms) return undefined;
        let requestedSchema = jsonSchema(schema);
        const isForm = requestedSchema.type === "object";
        const key = name ?? "answer";
        if (!isForm) {
          const title = key[0].toUpperCase() + key.slice(1).replaceAll("_", " ");
          const properties = { [key]: { title, ...requestedSchema } };
          requestedSchema = { type: "object", properties, required: [key] };
        }
        const answer = await request("elicitation/create", { message, requestedSchema }, { name });
        if (answer.action !== "accept") return undefined;
        try {
          return await parse(schema, isForm ? answer.content : answer.content?.[key]);
        } catch {
          // A client has to hold answers against the schema; one that did not has not answered.
          return undefined;
        }
      },
    };
  }
}
