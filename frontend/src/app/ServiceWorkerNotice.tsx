import { useSyncExternalStore } from "react";
import { applyUpdate, subscribeToUpdates, updateIsReady } from "./serviceWorker";

interface Texts {
  /** "A new version of PlantOps is there." */
  ready: string;
  /** What the button says. */
  reload: string;
}

/** A line and a button when a newer build lies ready, and nothing else ever. */
export function ServiceWorkerNotice({ ready, reload }: Texts): JSX.Element {
  const isReady = useSyncExternalStore(subscribeToUpdates, updateIsReady);
  return (
    <div className="update-notice" role="status" hidden={!isReady}>
      {isReady && (
        <>
          <span>{ready}</span>
          <button type="button" className="button" onClick={applyUpdate}>{reload}</button>
        </>
      )}
    </div>
  );
}
