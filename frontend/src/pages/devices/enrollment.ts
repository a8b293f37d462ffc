/**
 * What the QR code says, for an app or a firmware with a camera or a portal of its own (docs/devices.md). Other members
 * may be added; whoever reads it passes over what it does not know.
 */
export function enrollmentCode(address: string, token: string): string {
  return JSON.stringify({ plantops: 1, api: `${address}/api`, token });
}

/** An address as a device can use it, without a path and a slash at the end; undefined if it is none. */
export function readAddress(text: string): string | undefined {
  try {
    const url = new URL(text.trim());
    const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
    const hasPath = url.pathname !== "/" && url.pathname !== "/api" && url.pathname !== "/api/";
    return (url.protocol === "http:" || url.protocol === "https:") && isPlain && !hasPath ? url.origin : undefined;
  } catch {
    return undefined;
  }
}

/** An address that means the machine itself: a device would knock at its own door. */
export function isOfThisMachine(address: string): boolean {
  return /^\w+:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/.test(address);
}

/** A host as it stands in an address. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** As a device would be told it: what the operator says, unless only this machine could use it. */
export function addressForDevices(publicUrl: string | null): string {
  const here = window.location.origin;
  if (publicUrl === null) return here;
  return isOfThisMachine(publicUrl) && !isOfThisMachine(here) ? here : publicUrl;
}
