// Keeps the dashboard's shell (its page, scripts, styles and icons; never an answer of the API), so that it opens also
// when the server cannot be reached, and can then say so. docs/dashboard.md tells how a new build takes over.
export {};

declare const self: ServiceWorkerGlobalScope;
/** Paths of everything in this build, and a name for it; put in by scripts/build-frontend.sh. */
declare const SHELL: string[];
declare const BUILD: string;

const PREFIX = "plantops-shell-";
const NAME = PREFIX + BUILD;

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOlder(), self.clients.claim()]));
});

// From the page (app/serviceWorker.ts): "take-over", or the question whether all of its files are of this build.
self.addEventListener("message", (event) => {
  const message = event.data as { kind?: string; files?: string[] } | null;
  if (message?.kind === "take-over") {
    void self.skipWaiting();
  } else if (message?.kind === "is-yours") {
    event.ports[0]?.postMessage(message.files?.every((file) => SHELL.includes(file)) ?? false);
  }
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // Everything else is none of this worker's business: the browser asks the server as if it were not there.
  if (request.method !== "GET" || url.origin !== self.location.origin || isForServer(url.pathname)) return;
  if (request.mode === "navigate") {
    event.respondWith(page(request));
  } else if (SHELL.includes(url.pathname) && url.search === "") {
    event.respondWith(file(request, url.pathname));
  }
});

/** The API, and files that are no page of the dashboard. */
function isForServer(path: string): boolean {
  return path === "/api" || path.startsWith("/api/") || (/\.[^/]*$/.test(path) && !SHELL.includes(path));
}

async function keepShell(): Promise<void> {
  const cache = await caches.open(NAME);
  // Names with a hash may come from the browser's own cache; the others must be those of this build.
  await cache.addAll(SHELL.map((path) =>
    path.startsWith("/assets/") ? path : new Request(path, { cache: "reload" })));
}

async function forgetOlder(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
}

/** The server's page while it answers: a new build is seen at the next visit. Without it, the page that was kept. */
async function page(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    // A proxy in front of a server that is away.
    return [502, 503, 504].includes(answer.status) ? await fromCache("/") ?? answer : answer;
  } catch (error) {
    const kept = await fromCache("/");
    if (kept) return kept;
    throw error;
  }
}

async function file(request: Request, path: string): Promise<Response> {
  return await fromCache(path) ?? fetch(request);
}

async function fromCache(path: string): Promise<Response | undefined> {
  const cache = await caches.open(NAME);
  return cache.match(path, { ignoreVary: true });
}
