import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8, encodeUtf8 } from "../src/utf8.js";

test("texts are encoded as TextEncoder does it", () => {
  for (const text of ["", "Tromsø", "€", "😀", "a\ud800b", "\ufeffx"]) {
    assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text));
  }
});

test("bytes are decoded as TextDecoder does it", () => {
  const decoder = new TextDecoder();
  const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef];
  edges.push(0xf0, 0xf1, 0xf4, 0xf5, 0xff);
  for (const first of edges) {
    for (const second of edges) {
      for (const third of edges) {
        for (const bytes of [[first, second, third], [first, second, third, 0x80, 0x41]]) {
          const given = new Uint8Array(bytes);
          assert.equal(decodeUtf8(given), decoder.decode(given), String(bytes));
        }
      }
    }
  }
  const long = new TextEncoder().encode("\ufeff" + "aø€😀".repeat(10_000));
  assert.equal(decodeUtf8(long), decoder.decode(long));
});
