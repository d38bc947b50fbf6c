// UTF-8, for QuickJS, which has neither TextEncoder nor TextDecoder.

const REPLACEMENT = 0xfffd;

export function encodeUtf8(text) {
  const bytes = [];
  for (const character of text) {
    const code = character.codePointAt(0);
    const scalar = code >= 0xd800 && code <= 0xdfff ? REPLACEMENT : code;
    if (scalar < 0x80) {
      bytes.push(scalar);
    } else if (scalar < 0x800) {
      bytes.push(0xc0 | (scalar >> 6), 0x80 | (scalar & 0x3f));
    } else if (scalar < 0x10000) {
      bytes.push(0xe0 | (scalar >> 12), 0x80 | ((scalar >> 6) & 0x3f), 0x80 | (scalar & 0x3f));
    } else {
      bytes.push(0xf0 | (scalar >> 18), 0x80 | ((scalar >> 12) & 0x3f));
      bytes.push(0x80 | ((scalar >> 6) & 0x3f), 0x80 | (scalar & 0x3f));
    }
  }
  return new Uint8Array(bytes);
}

// What is no UTF-8 becomes U+FFFD, and a byte-order mark at the start is left out, as TextDecoder does it.
export function decodeUtf8(bytes) {
  const parts = [];
  let at = 0;
  while (at < bytes.length) {
    const codes = [];
    while (at < bytes.length && codes.length < 8192) {
      const { code, length } = scalarAt(bytes, at);
      codes.push(code);
      at += length;
    }
    parts.push(String.fromCodePoint(...codes));
  }
  return parts.join("").replace(/^\ufeff/, "");
}

function scalarAt(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return { code: first, length: 1 };
  const more = first >= 0xf0 && first <= 0xf4 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
  if (more === 0) return { code: REPLACEMENT, length: 1 };
  // The second byte tells overlong forms, surrogates and what is above U+10FFFF (table 3-7 of the Unicode Standard).
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  let code = first & (0x3f >> more);
  for (let index = 1; index <= more; index += 1) {
    const byte = bytes[at + index];
    const isNext = index === 1 ? byte >= least && byte <= most : byte >= 0x80 && byte <= 0xbf;
    if (!isNext) return { code: REPLACEMENT, length: index };
    code = (code << 6) | (byte & 0x3f);
  }
  return { code, length: more + 1 };
}
