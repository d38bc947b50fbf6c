// The names of `wasi:http` and what it uses, which componentize-qjs cannot import by these names: while it takes its
// snapshot, it has implementations of its own for `wasi:io`, and stubs for all others that do not fit them. So it is given the
// same interfaces under other names of the same length, and the component gets the names of WASI afterwards.

const PREAMBLE_BYTES = 8;
const CORE_MODULE = 1;
const COMPONENT = 4;
const CORE_DATA = 11;

const STAND_IN = /gasi:(?=(io|http|clocks)\/)/g;

// Returns a component that imports from WASI what it imported under the other names. Its memory stays as it is.
export function withWasiNames(component) {
  const renamed = new Uint8Array(component);
  renameComponent(renamed, 0, renamed.length);
  return renamed;
}

function renameComponent(bytes, start, end) {
  for (const section of sections(bytes, start, end)) {
    if (section.id === CORE_MODULE) renameModule(bytes, section.start, section.end);
    else if (section.id === COMPONENT) renameComponent(bytes, section.start, section.end);
    else rename(bytes, section.start, section.end);
  }
}

function renameModule(bytes, start, end) {
  for (const section of sections(bytes, start, end)) {
    if (section.id !== CORE_DATA) rename(bytes, section.start, section.end);
  }
}

function rename(bytes, start, end) {
  // A text with one character a byte, so that an index in it is one in the bytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  for (const { index } of text.matchAll(STAND_IN)) bytes[start + index] = "w".charCodeAt(0);
}

function* sections(bytes, start, end) {
  let at = start + PREAMBLE_BYTES;
  while (at < end) {
    const id = bytes[at];
    let size = 0;
    let shift = 0;
    let byte;
    do {
      at += 1;
      byte = bytes[at];
      size += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte >= 0x80);
    at += 1;
    yield { id, start: at, end: at + size };
    at += size;
  }
}
