import { api } from "../../api/client";
import type { Alert } from "../../api/types";
import { live } from "../../live/hooks";

/** Whether somebody may still say that it is seen to. */
export function mayAcknowledge(alert: Alert): boolean {
  return alert.state === "firing" && alert.acknowledged_at === null;
}

/**
 * Shows it as acknowledged at once, and as it was if the server does not agree. One that is over, or was seen to by
 * somebody else meanwhile, is left alone.
 * @throws what the API threw.
 */
export async function acknowledge({ id }: Alert, by: string | null): Promise<void> {
  const alert = live.alert(id);
  if (!alert || !mayAcknowledge(alert)) return;
  const hoped: Alert = { ...alert, acknowledged_at: new Date().toISOString(), acknowledged_by: by };
  live.putAlert(hoped);
  try {
    take(hoped, await api<Alert>("POST", `/alerts/${id}/acknowledge`));
  } catch (error) {
    take(hoped, alert);
    throw error;
  }
}

/** Unless the stream has told something newer meanwhile, that it is over for instance. */
function take(hoped: Alert, alert: Alert): void {
  if (live.alert(hoped.id) === hoped) live.putAlert(alert);
}
