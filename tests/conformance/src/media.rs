//! A picture and a sound.

use gatehouse_sdk::Content;

/// A picture of one grey dot.
pub(crate) fn image() -> Content {
    Content::image(PNG, "image/png")
}

/// A millisecond of silence.
pub(crate) fn audio() -> Content {
    Content::audio(WAV, "audio/wav")
}

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\xdach\0\0\0\x82\0\x81\xdaE\x08;\0\0\0\0IEND\xaeB`\x82";

const WAV: &[u8] = b"RIFF,\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0data\x08\0\0\0\x80\x80\x80\x80\x80\x80\x80\x80";
