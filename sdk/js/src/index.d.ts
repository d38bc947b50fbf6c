/** A JSON Schema (2020-12, unless `$schema` says otherwise). */
export type JsonSchema = { [keyword: string]: unknown };

/** A schema of a library that speaks Standard Schema and Standard JSON Schema, such as zod from 4.2 on. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type Schema = StandardSchema<any, any> | JsonSchema;

/** What a function gets of a value of this schema: with defaults and transforms. */
export type Parsed<S> = S extends StandardSchema<any, infer Output> ? Output : any;

/** What a function may give for this schema. */
export type Given<S> = S extends StandardSchema<infer Input, any> ? Input : any;

export interface Icon {
  /** An `https:` or `data:` URI. */
  src: string;
  mimeType?: string;
  /** Such as `48x48`, or `any`. */
  sizes?: string[];
  theme?: "light" | "dark";
}

export interface Annotations {
  audience?: ("user" | "assistant")[];
  /** From 0 to 1. */
  priority?: number;
  /** ISO 8601. */
  lastModified?: string;
}

export interface ContentOptions {
  annotations?: Annotations;
  meta?: Record<string, unknown>;
}

/** A part of a result or of a prompt, made by `text`, `image`, `audio`, `resourceLink` or `embeddedResource`. */
export interface Content extends ContentOptions {
  readonly [field: string]: unknown;
}

export function text(value: string, options?: ContentOptions): Content;
export function image(data: Uint8Array, mimeType?: string, options?: ContentOptions): Content;
export function audio(data: Uint8Array, mimeType?: string, options?: ContentOptions): Content;
export function resourceLink(
  link: {
    uri: string;
    name: string;
    title?: string;
    description?: string;
    mimeType?: string;
    /** In bytes. */
    size?: number;
    icons?: Icon[];
  } & ContentOptions,
): Content;
export function embeddedResource(resource: ResourceContents & ContentOptions): Content;

export interface ResourceContents {
  uri: string;
  mimeType?: string;
  text?: string;
  blob?: Uint8Array;
}

/** A result, made by `result`. */
export interface ToolResult<Structured = unknown> {
  readonly structured?: Structured;
}

/** A result whose text is not the JSON of what is structured, or one that is an error with contents of its own. */
export function result<Structured = undefined>(fields: {
  structured?: Structured;
  content?: string | Content | (string | Content)[];
  isError?: boolean;
  meta?: Record<string, unknown>;
}): ToolResult<Structured>;

export interface Message {
  role: "user" | "assistant";
  content: Content;
}

export function message(value: string | Content, role?: "user" | "assistant"): Message;

/** An error for the model to read and mend: its message is what the call returns. */
export class ToolError extends Error {}

/** Thrown by `read`: there is no resource of that URI. */
export class NotFound extends Error {}

export interface Caller {
  kind: "person" | "client";
  /** Stable, and unique at the identity provider; `client:` and the client's id for a client that acts for itself. */
  subject: string;
  /** The client that asks. Absent when the person pasted a token by hand. */
  clientId?: string;
  /** The scopes that the person allowed the client. */
  scopes: string[];
  /** What the identity provider said of the person when they signed in. */
  profile: {
    name?: string;
    email?: string;
    emailVerified?: boolean;
    picture?: string;
    claims: Record<string, unknown>;
  };
}

/** A token of the person's at the identity provider. */
export interface Credential {
  /** Whether the person signed in, or pasted the token into their client. */
  kind: "upstream" | "presented";
  token: string;
}

export interface Capabilities {
  elicitsForms?: boolean;
  elicitsUrls?: boolean;
  samples?: boolean;
  samplesWithTools?: boolean;
  listsRoots?: boolean;
}

export type Level = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

export interface Context {
  caller: Caller;
  /** What the client can be asked. */
  capabilities: Capabilities;
  /** The person's token, where `credential` asks for it; absent if there is none left. */
  credential?: Credential;
  /** Whether the client can ask the person. Many cannot. */
  canAsk: boolean;
  /** Reports how far the call has come; `progress` grows with every report. Dropped if the client does not care. */
  progress(progress: number, total?: number, message?: string): Promise<void>;
  /** Sends a message to the client's log; dropped below the level that the client wants. No secrets. */
  log(data: unknown, options?: { level?: Level; logger?: string }): Promise<void>;
  /**
   * Reports that there are other tools, prompts or resources: clients that listen ask again. `changes` of `serve`
   * announces what may be reported.
   */
  changed(what: "tools" | "prompts" | "resources"): Promise<void>;
  /** Reports that a resource holds something else; `changes` announces it as `resourceContents`. */
  resourceChanged(uri: string): Promise<void>;
  /**
   * Asks the person, in a form with the fields of an object schema, or with one field of another.
   *
   * Resolves to nothing if the person declines, or if the client cannot ask (`canAsk`). A question ends the call. With
   * the answer the function runs again from its beginning, perhaps in another process: do what has an effect after the
   * last question. `name` is the name of the single field, and tells questions apart.
   */
  ask<S extends Schema>(message: string, schema: S, options?: { name?: string }): Promise<Parsed<S> | undefined>;
  /**
   * Sends the client a request (`sampling/createMessage`, `roots/list`, `elicitation/create`), as `ask` does. Look at
   * `capabilities` first.
   */
  request(
    method: string,
    params: Record<string, unknown>,
    options?: { name?: string },
  ): Promise<Record<string, any>>;
}

export interface Described {
  name: string;
  /** A name for people. */
  title?: string;
  /** What it does, for the model. */
  description?: string;
  icons?: Icon[];
  meta?: Record<string, unknown>;
}

export interface Hints {
  readOnly?: boolean;
  destructive?: boolean;
  idempotent?: boolean;
  openWorld?: boolean;
}

/** `required`: a call without a token left ends with an error that says to sign in again. */
export type CredentialUse = "required" | "optional";

export interface Tool extends Described, Hints {
  readonly kind: "tool";
  readonly inputSchema: JsonSchema;
  readonly outputSchema?: JsonSchema;
  readonly scopes: readonly string[];
}

type Returned<Structured> = Structured | ToolResult<Structured>;
type AnyResult = string | Content | (string | Content)[] | ToolResult | object | number | boolean | undefined | void;

export function tool<Input extends Schema = JsonSchema, Output extends Schema | undefined = undefined>(
  options: Described &
    Hints & {
      input?: Input;
      /** The schema of what is structured in the result. */
      output?: Output;
      /** The scopes without which a call is refused; `["tools"]` by default. */
      scopes?: string[];
      credential?: CredentialUse;
      /** Whether a call may take longer than a client cares to wait. */
      tasks?: "never" | "optional" | "required";
      run: (
        input: Parsed<Input>,
        context: Context,
      ) => Output extends Schema
        ? Returned<Given<Output>> | Promise<Returned<Given<Output>>>
        : AnyResult | Promise<AnyResult>;
    },
): Tool;

export interface Resource extends Described {
  readonly kind: "resource" | "template";
  readonly uri: string;
}

export interface ResourceOptions extends Described {
  mimeType?: string;
  /** Seconds for which an answer may be kept. */
  ttl?: number;
  /** Whether the answer is the same for every caller. */
  shared?: boolean;
  credential?: CredentialUse;
}

export type Readable = string | Uint8Array | ResourceContents | ResourceContents[] | object;

export function resource(
  options: ResourceOptions & { uri: string; read: (context: Context) => Readable | Promise<Readable> },
): Resource;

/** The values of which those that begin with what is typed are offered, or a function of what is typed. */
export type Complete = readonly string[] | ((begun: string) => Iterable<string> | Promise<Iterable<string>>);

/** The resources of a template such as `units:{kind}`; `{kind}` ends at a slash, and `{+path}` goes on. */
export function resourceTemplate(
  options: ResourceOptions & {
    uri: string;
    complete?: Record<string, Complete>;
    read: (variables: Record<string, string>, context: Context) => Readable | Promise<Readable>;
  },
): Resource;

export interface Prompt extends Described {
  readonly kind: "prompt";
}

type Messages = string | Message | (string | Message)[];

export function prompt(
  options: Described & {
    arguments?: Record<string, { title?: string; description?: string; required?: boolean; complete?: Complete }>;
    scopes?: string[];
    get: (values: Record<string, string>, context: Context) => Messages | Promise<Messages>;
  },
): Prompt;

/** What an app's file exports as its default. */
export interface App {
  readonly tools: ReadonlyMap<string, Tool>;
}

export function serve(options: {
  name: string;
  title?: string;
  version?: string;
  description?: string;
  /** How to use all of it, for the model. */
  instructions?: string;
  website?: string;
  icons?: Icon[];
  /** The scopes without which no resource is listed or read; `["tools"]` by default. */
  resourceScopes?: string[];
  /** What may change while clients are connected, and is reported by `context.changed` and `context.resourceChanged`. */
  changes?: ("tools" | "prompts" | "resources" | "resourceContents")[];
  tools?: Tool[];
  resources?: Resource[];
  prompts?: Prompt[];
}): App;

/** A request that failed, or was answered with an error (`throwForStatus`). */
export class HttpError extends Error {}

export interface HttpResponse {
  url: string;
  status: number;
  /** Names are in lower case; values of one name are joined by commas. */
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether the status is below 400. */
  ok: boolean;
  text(): string;
  /** Throws HttpError if the body is not JSON. */
  json(): any;
  /** Throws HttpError from status 400 on; returns the response otherwise. */
  throwForStatus(): HttpResponse;
}

export interface HttpOptions {
  /** Added to the query. */
  params?: Record<string, string | number | boolean | (string | number | boolean)[]>;
  headers?: Record<string, string>;
  /** Sent as `Authorization: Bearer`. */
  bearer?: string | Credential;
  /** The body, as JSON. */
  json?: unknown;
  body?: string | Uint8Array;
  /** Seconds for connecting, for the first byte, and between two of them; 30 by default. */
  timeout?: number;
}

/**
 * HTTP requests: over `wasi:http` in a component, over `fetch` elsewhere. A response of any status is returned; without one,
 * they reject with HttpError. Redirects are not followed.
 */
export const http: {
  request(method: string, url: string, options?: HttpOptions): Promise<HttpResponse>;
  get(url: string, options?: HttpOptions): Promise<HttpResponse>;
  post(url: string, options?: HttpOptions): Promise<HttpResponse>;
  put(url: string, options?: HttpOptions): Promise<HttpResponse>;
  patch(url: string, options?: HttpOptions): Promise<HttpResponse>;
  delete(url: string, options?: HttpOptions): Promise<HttpResponse>;
};

/** What `fetch` takes. Any other option is refused with a TypeError: there are no signals, streams, caches or cookies here. */
export interface FetchOptions {
  /** `GET` by default. */
  method?: string;
  /** An object, or pairs: those of one name are joined by commas. */
  headers?: Record<string, string> | Iterable<readonly [string, string]>;
  /** A text is sent as `text/plain;charset=UTF-8` unless `headers` says otherwise. */
  body?: string | ArrayBuffer | ArrayBufferView | null;
  /** The default, and the only one: a redirect is a response like any other. */
  redirect?: "manual";
}

/** The header fields of a response. `get` and `has` take names in any case; values of one name are joined by commas. */
export interface FetchHeaders extends Iterable<[string, string]> {
  get(name: string): string | null;
  has(name: string): boolean;
  entries(): IterableIterator<[string, string]>;
}

/** A response, whose body is there; it can be read more than once. */
export interface FetchResponse {
  readonly url: string;
  readonly status: number;
  /** Whether the status is from 200 to 299. */
  readonly ok: boolean;
  readonly headers: FetchHeaders;
  text(): Promise<string>;
  /** Rejects with HttpError if the body is not JSON. */
  json(): Promise<any>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The part of `fetch` that a component can have, over `http`: with its limits, and rejecting with HttpError without a response.
 */
export function fetch(url: string | { readonly href: string }, options?: FetchOptions): Promise<FetchResponse>;

/** A variable that `spin.toml` does not give to these tools, or that cannot be read. */
export class VariableError extends Error {}

/**
 * Resolves to the value of a variable that `spin.toml` gives to these tools: a setting, or a secret. Rejects with
 * VariableError if there is none.
 *
 * It is read from the host each time, so that a secret may change while the tools are served. Outside of a component it is
 * `SPIN_VARIABLE_<NAME>` of the environment, or what a test gives.
 */
export function variable(name: string): Promise<string>;

/** A store that `spin.toml` does not grant to these tools, one that failed, or a value that is not what is wanted. */
export class KeyValueError extends Error {}

/**
 * A key-value store: what it holds outlives the call and the instance. Its functions reject with KeyValueError if it is not
 * granted or fails.
 *
 * Nothing in a store expires, and no operation is atomic with another one: of two calls that read and then write the same
 * key, the later one wins. Keys have at most 256 bytes on SQLite, values 1 MB. Keys are not listed: that can stop a
 * store which others write to.
 */
export interface KeyValue {
  readonly name: string;
  /** Resolves to the value of a key, or to nothing if it has none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** The same as a text. */
  getText(key: string): Promise<string | undefined>;
  /** The same, read as JSON. Rejects with KeyValueError if the value is none. */
  getJson<T = any>(key: string): Promise<T | undefined>;
  /** Gives a key a value. */
  set(key: string, value: string | Uint8Array): Promise<void>;
  /** Gives a key a value, written as JSON. */
  setJson(key: string, value: unknown): Promise<void>;
  /** Removes a key. It need not be there. */
  delete(key: string): Promise<void>;
  /** Resolves to whether a key has a value. */
  exists(key: string): Promise<boolean>;
}

/** Returns the store of this name, as `key_value_stores` in `spin.toml` has it. It is opened when it is first used. */
export function keyValue(name: string): KeyValue;
