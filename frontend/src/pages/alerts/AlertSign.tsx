import { Link } from "../../app/Link";
import type { Alert } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useAlertText } from "../../ui/alertText";

/** What it is about, in the colour of how bad it is. The word stands beside it. */
export function AlertSign({ alert }: { alert: Alert }): JSX.Element {
  const text = useAlertText();
  const tone = alert.state === "firing" ? alert.severity : "calm";
  return <span className={`alert-sign alert-sign-${tone}`}><Icon name={text.icon(alert)} /></span>;
}

/** Where one goes to see to it; null if there is no such place (any more). */
export function placeOf(alert: Alert): string | null {
  if (alert.kind === "threshold") return alert.plant_id === null ? null : `/plants/${alert.plant_id}`;
  if (alert.device_id !== null) return `/devices?device=${alert.device_id}`;
  return alert.kind === "dead_letters" || alert.kind === "certificate_expiring" || alert.kind === "disk_filling"
    || alert.kind === "ingest_stalled" ? "/settings" : null;
}

export function AlertSubject({ alert }: { alert: Alert }): JSX.Element {
  const text = useAlertText();
  const to = placeOf(alert);
  return to === null ? <span>{text.subject(alert)}</span> : <Link to={to}>{text.subject(alert)}</Link>;
}

/** The address of an alert's details, on top of the list as it is. */
export function alertPath(id: string): string {
  const query = new URLSearchParams(window.location.search);
  query.set("alert", id);
  return `/alerts?${query.toString()}`;
}
