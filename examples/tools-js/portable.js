// The contract wit/portable/tools.wit, for hosts of WASI 0.2: no function is async, and a call that goes on is a
// resource that is asked for one event after the other.

import { tools as plain } from "./tools.js";

class EventStream {
  constructor(events) {
    this.events = events;
  }

  next() {
    return this.events.next().value;
  }
}

export const tools = {
  ...plain,
  EventStream,

  callTool(call) {
    const result = plain.callTool(call);
    return result.tag === "running" ? { tag: "running", val: new EventStream(result.val) } : result;
  },
};
