import type { Problem } from "./types";

/** An answer that is no success, or none at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, problem: Problem | null, retryAfterSeconds: number | null = null) {
    super(problem?.detail ?? (status === 0 ? "the server cannot be reached" : `HTTP ${status}`));
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** No answer from the server, or one from the proxy before it. */
  get isUnreachable(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  /** With its media type, instead of a JSON body. */
  text?: { content: string; mediaType: string };
  signal?: AbortSignal;
}

const signedOutListeners = new Set<() => void>();

/** Called when an answer says that nobody is signed in (any more). Returns what ends it. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

export function announceSignedOut(): void {
  for (const listener of signedOutListeners) listener();
}

export function apiPath(path: string, query?: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return `/api${path}${text ? `?${text}` : ""}`;
}

/**
 * Asks the API. Answers of 204 are undefined.
 * @throws ApiError, or an AbortError when the signal was given up.
 */
export async function api<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  let body: string | undefined;
  if (options.text) {
    headers["Content-Type"] = options.text.mediaType;
    body = options.text.content;
  } else if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await fetch(apiPath(path, options.query), {
      method, headers, credentials: "same-origin", cache: "no-store",
      ...(body === undefined ? {} : { body }), ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  if (!response.ok) throw await failure(response, path);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    // Cut off halfway.
    throw new ApiError(0, null);
  }
}

async function failure(response: Response, path: string): Promise<ApiError> {
  let problem: Problem | null = null;
  if ((response.headers.get("Content-Type") ?? "").includes("json")) {
    problem = (await response.json().catch(() => null)) as Problem | null;
  }
  // A wrong password is also a 401, but says nothing of a session.
  if (response.status === 401 && path !== "/auth/login" && path !== "/auth/password") announceSignedOut();
  const retryAfter = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, problem, retryAfter > 0 ? retryAfter : null);
}

/**
 * All pages of a list, for what the dashboard shows as a whole. Something that is removed meanwhile moves the pages, too,
 * and one may be passed over: then it begins anew, a few times at most.
 */
export async function everything<Key extends string, Item extends { id: string }>(
  path: string, key: Key, query: Query = {}, signal?: AbortSignal,
): Promise<Item[]> {
  const limit = 500;
  const items = new Map<string, Item>();
  let total: number | undefined;
  let attempts = 3;
  for (let offset = 0; ; offset += limit) {
    const page = await api<Record<Key, Item[]> & { total: number }>("GET", path, {
      query: { ...query, limit, offset }, ...(signal ? { signal } : {}),
    });
    if (total !== undefined && page.total < total && attempts > 1) {
      items.clear();
      total = undefined;
      attempts -= 1;
      offset = -limit;
      continue;
    }
    total = page.total;
    // Pages move when something is added meanwhile: an item may come twice.
    for (const item of page[key]) items.set(item.id, item);
    if (offset + limit >= page.total || page[key].length === 0) return [...items.values()];
  }
}
