import type DygraphType from "dygraphs";

export type DygraphClass = typeof DygraphType;

let loading: Promise<DygraphClass> | undefined;

/** A file of its own: who never opens a plant's page never loads it. */
export function loadDygraphs(): Promise<DygraphClass> {
  loading ??= import("dygraphs").then(({ default: Dygraph }) => {
    // Axes and grid are all that is used. The legend measures itself by a style attribute, which the page's
    // Content-Security-Policy forbids; ours is in the chart's head.
    Dygraph.PLUGINS = [Dygraph.Plugins.Axes, Dygraph.Plugins.Grid];
    return Dygraph;
  }, (reason: unknown) => {
    // The network may be back at the next attempt.
    loading = undefined;
    throw reason;
  });
  return loading;
}
