// Registers the service worker, notices that a newer build of the dashboard lies ready, and lets it take over when the
// user says so. Where there are no service workers (plain HTTP from another machine), nothing of this happens.

type Listener = () => void;

let waiting: ServiceWorker | null = null;
let registered = false;
const listeners = new Set<Listener>();

/** True when a newer build than the one on this page can be had by reloading. */
export function updateIsReady(): boolean {
  return waiting !== null;
}

export function subscribeToUpdates(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Lets the newer build take over, in every tab of it, and loads this page anew. */
export function applyUpdate(): void {
  if (!waiting) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => window.location.reload(), { once: true });
  waiting.postMessage({ kind: "take-over" });
}

/** Once, when the page is loaded: what the worker loads must not compete with what the page needs. */
export async function registerServiceWorker(): Promise<void> {
  if (registered || !("serviceWorker" in navigator)) return;
  registered = true;
  if (document.readyState !== "complete") await new Promise((loaded) => window.addEventListener("load", loaded, { once: true }));
  try {
    // Never from the browser's cache, else a new build would be noticed a day late.
    const registration = await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" });
    follow(registration);
    // Tabs stay open for weeks.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void look(registration);
    });
    window.setInterval(() => void look(registration), 60 * 60 * 1000);
  } catch {
    // Private windows and strict settings forbid it; the dashboard works without.
  }
}

async function look(registration: ServiceWorkerRegistration): Promise<void> {
  try {
    await registration.update();
  } catch {
    // The server is away; the next look comes.
  }
}

function follow(registration: ServiceWorkerRegistration): void {
  // The very first worker replaces nobody.
  const announce = async (worker: ServiceWorker) => {
    if (!navigator.serviceWorker.controller) return;
    if (await isOfThisPage(worker)) worker.postMessage({ kind: "take-over" });
    else tell(worker);
  };
  const observe = (worker: ServiceWorker | null) => {
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") void announce(worker);
      if (worker.state === "redundant" && waiting === worker) tell(null);
    });
  };
  if (registration.waiting) void announce(registration.waiting);
  observe(registration.installing);
  registration.addEventListener("updatefound", () => observe(registration.installing));
}

function tell(worker: ServiceWorker | null): void {
  waiting = worker;
  for (const listener of listeners) listener();
}

/** Whether this page was already loaded from that worker's build: then there is nothing to reload. */
function isOfThisPage(worker: ServiceWorker): Promise<boolean> {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  const style = document.querySelector<HTMLLinkElement>('link[rel="stylesheet"]');
  const files = [script?.src, style?.href].flatMap((url) => (url ? [new URL(url).pathname] : []));
  const channel = new MessageChannel();
  return new Promise((resolve) => {
    channel.port1.onmessage = (event: MessageEvent<boolean>) => resolve(event.data);
    worker.postMessage({ kind: "is-yours", files }, [channel.port2]);
  });
}
