// Key-value stores, which the manifest grants to the tools.

import { KeyValueError } from "./errors.js";
import { callStore } from "./host-native.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export class KeyValue {
  constructor(name) {
    this.name = name;
  }

  async get(key) {
    return callStore(this.name, "get", key);
  }

  async getText(key) {
    const value = await this.get(key);
    return value && decodeUtf8(value);
  }

  async getJson(key) {
    const text = await this.getText(key);
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      // The error of JSON.parse has parts of the value.
      throw new KeyValueError(`the value of ${JSON.stringify(key)} in the store "${this.name}" is no JSON`);
    }
  }

  async set(key, value) {
    await callStore(this.name, "set", key, typeof value === "string" ? encodeUtf8(value) : value);
  }

  async setJson(key, value) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`${typeof value} cannot be JSON`);
    await this.set(key, text);
  }

  async delete(key) {
    await callStore(this.name, "delete", key);
  }

  async exists(key) {
    return callStore(this.name, "exists", key);
  }
}

// The store of this name, which is opened when it is first used.
export const keyValue = (name) => new KeyValue(name);
