// HTTP over `fetch`, for tests and for calls by hand. The build for a component takes http-wasi.js in its place.

const MAX_BODY_BYTES = 16 * 1024 * 1024;

export async function send({ method, url, headers, body, timeout }, HttpError) {
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: body.length > 0 ? body : undefined,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout * 1000),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > MAX_BODY_BYTES) throw new HttpError(`the response has more than ${MAX_BODY_BYTES} bytes`);
    return { status: response.status, headers: Object.fromEntries(response.headers), body: bytes };
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(`${url.split("?")[0]} cannot be reached: ${error.cause?.message ?? error.message}`);
  }
}
