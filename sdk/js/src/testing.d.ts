import type { App, Caller, Content, Level, Message, ResourceContents } from "./index.js";

export { NotFound, ToolError } from "./index.js";

/** An answer: the person declines. */
export const DECLINE: unique symbol;

/** The caller lacks scopes without which Gatehouse refuses the call. */
export class MissingScopes extends Error {}

export interface CallOptions {
  /** Without them the caller has all that is needed. */
  scopes?: string[];
  caller?: Caller;
  /** The person's token. */
  credential?: string;
  /**
   * An answer for each question by its name, else `question-1` and so on: a value, an object for a form of several
   * fields, or `DECLINE`. Without `answers` the client cannot ask.
   */
  answers?: Record<string, unknown>;
  /** What `variable` reads. Without them there are none. */
  variables?: Record<string, string>;
  /** The stores of `keyValue`, by their names, with what they hold. Without them there are none. */
  stores?: Record<string, Map<string, Uint8Array | string>>;
}

export interface CallResult {
  content: Content[];
  /** All texts of the content, a line each. */
  text: string;
  structured?: any;
  isError: boolean;
  meta?: Record<string, unknown>;
  progress: { progress: number; total?: number; message?: string }[];
  logs: { level: Level; data: any; logger?: string }[];
  /** The URI is of a resource whose contents changed. */
  changed: ({ what: "tools" | "prompts" | "resources" } | { uri: string })[];
  questions: { id: string; method: string; params: Record<string, any> }[];
}

/** Returns a person, with what the identity provider says of them. */
export function person(subject?: string, profile?: Partial<Caller["profile"]>): Caller;

/**
 * Calls a tool as Gatehouse does: checks scopes and arguments, answers questions, and holds the result against
 * `output`. Rejects with what the tool throws, except ToolError, which is a result with `isError`.
 */
export function call(app: App, name: string, input?: object, options?: CallOptions): Promise<CallResult>;

/** Reads a resource. Rejects with NotFound if there is none of this URI. */
export function read(app: App, uri: string, options?: CallOptions): Promise<ResourceContents[]>;

/** Gets the messages of a prompt. */
export function prompt(
  app: App,
  name: string,
  values?: Record<string, string>,
  options?: CallOptions,
): Promise<Message[]>;

/** Completes an argument of a prompt, by its name, or of a template, by its URI. */
export function complete(app: App, name: string, argument: string, begun?: string): Promise<string[]>;

export interface HttpRequest {
  method: string;
  url: string;
  /** Names are in lower case. */
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface RawResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Answers the requests of `http` with a function while `body` runs, and gives `body` the list of them. */
export function withHttp<T>(
  answer: (request: HttpRequest) => RawResponse | Promise<RawResponse>,
  body: (requests: HttpRequest[]) => T | Promise<T>,
): Promise<T>;

/** Returns a response for `withHttp`: bytes, a text, or what becomes JSON. */
export function response(
  body?: unknown,
  options?: { status?: number; headers?: Record<string, string> },
): RawResponse;
